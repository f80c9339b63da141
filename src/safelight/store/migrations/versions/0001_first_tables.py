"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(precision=53)


def upgrade() -> None:
    """Create every table."""
    _create_jobs()
    _create_idempotency_keys()
    _create_events()
    _create_previews()
    _create_calls()
    _create_assets()
    _create_accounts()
    _create_ledger()
    _create_queues()
    _create_fair_tags()
    _create_workers()
    _create_installation()


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider_pin", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), server_default="{}", nullable=False),
        sa.Column("outputs", sa.Integer(), server_default="1", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Text(), server_default="[]", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("progress", REAL, server_default="0", nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("due_at", REAL, nullable=True),
        sa.Column("vstart", REAL, nullable=False),
        sa.Column("share", REAL, server_default="1", nullable=False),
        sa.Column("resumes", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default="3", nullable=False),
        sa.Column("lost_n", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_at", REAL, nullable=True),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("start_at", REAL, nullable=False),
        sa.Column("started_at", REAL, nullable=True),
        sa.Column("finished_at", REAL, nullable=True),
        sa.Column("deadline_at", REAL, nullable=False),
        sa.Column("run_limit_s", REAL, nullable=False),
        sa.Column("cancel_requested_at", REAL, nullable=True),
        sa.Column("published_at", REAL, nullable=True),
        sa.Column("publish_n", sa.Integer(), server_default="0", nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("parent", NUMBER, nullable=True),
        sa.Column("replay_of", NUMBER, nullable=True),
        sa.CheckConstraint("NOT (ready AND status <> 'pending')", name=op.f("ck_jobs_ready_is_pending")),
        sa.CheckConstraint("NOT (resumes AND status <> 'pending')", name=op.f("ck_jobs_resumes_is_pending")),
        sa.CheckConstraint(
            "settled = (status IN ('completed', 'failed', 'canceled', 'partial'))",
            name=op.f("ck_jobs_settled_when_ended"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'canceled', 'partial')",
            name=op.f("ck_jobs_status"),
        ),
        sa.CheckConstraint("captured >= 0 AND captured <= price", name=op.f("ck_jobs_captured_within_price")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_jobs_claim",
        "jobs",
        ["queue", sa.literal_column("priority DESC"), "vstart", "number"],
        unique=False,
        sqlite_where=sa.text("ready"),
        postgresql_where=sa.text("ready"),
    )
    op.create_index(
        "ix_jobs_deadline",
        "jobs",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("status IN ('pending', 'processing')"),
        postgresql_where=sa.text("status IN ('pending', 'processing')"),
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_held",
        "jobs",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("status = 'processing'"),
        postgresql_where=sa.text("status = 'processing'"),
    )
    op.create_index(
        "ix_jobs_parent",
        "jobs",
        ["parent"],
        unique=False,
        sqlite_where=sa.text("parent IS NOT NULL"),
        postgresql_where=sa.text("parent IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_resume",
        "jobs",
        ["queue", "number"],
        unique=False,
        sqlite_where=sa.text("resumes"),
        postgresql_where=sa.text("resumes"),
    )
    op.create_index(
        "ix_jobs_user",
        "jobs",
        ["user_id", sa.literal_column("number DESC")],
        unique=False,
        sqlite_where=sa.text("parent IS NULL"),
        postgresql_where=sa.text("parent IS NULL"),
    )
    op.create_index(
        "ix_jobs_user_status",
        "jobs",
        ["user_id", "status", sa.literal_column("number DESC")],
        unique=False,
        sqlite_where=sa.text("parent IS NULL"),
        postgresql_where=sa.text("parent IS NULL"),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_keys")),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("job", "sequence", name=op.f("pk_events")),
        sqlite_with_rowid=False,
    )


def _create_previews() -> None:
    op.create_table(
        "previews",
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_previews")),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("part", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("sending_at", REAL, nullable=False),
        sa.Column("accepted_at", REAL, nullable=True),
        sa.Column("ended_at", REAL, nullable=True),
        sa.Column("check_at", REAL, nullable=True),
        sa.Column("given_up_at", REAL, nullable=True),
        sa.Column("cost_usd", REAL, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('sending', 'accepted', 'succeeded', 'failed', 'unknown')", name=op.f("ck_calls_state")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calls")),
        sa.UniqueConstraint("id", name=op.f("uq_calls_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_job", "calls", ["job"], unique=False)
    op.create_index(
        "uq_calls_open",
        "calls",
        ["job", "part"],
        unique=True,
        sqlite_where=sa.text("state IN ('sending', 'accepted', 'unknown') AND given_up_at IS NULL"),
        postgresql_where=sa.text("state IN ('sending', 'accepted', 'unknown') AND given_up_at IS NULL"),
    )


def _create_assets() -> None:
    op.create_table(
        "assets",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_s", REAL, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("ai_generated", sa.Boolean(), nullable=False),
        sa.Column("recovered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_assets")),
        sa.UniqueConstraint("id", name=op.f("uq_assets_id")),
        sa.UniqueConstraint("key", name=op.f("uq_assets_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assets_job", "assets", ["job"], unique=False)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("held >= 0 AND balance >= held", name=op.f("ck_accounts_covers_holds")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_accounts")),
        sa.UniqueConstraint("user_id", name=op.f("uq_accounts_user_id")),
        sqlite_autoincrement=True,
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("job", NUMBER, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("balance_delta", sa.BigInteger(), nullable=False),
        sa.Column("held_delta", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.CheckConstraint(
            "kind IN ('grant', 'hold', 'capture', 'release', 'refund', 'adjustment')", name=op.f("ck_ledger_kind")
        ),
        sa.CheckConstraint("job IS NOT NULL OR reference IS NOT NULL", name=op.f("ck_ledger_says_what_for")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
        sa.UniqueConstraint("reference", name=op.f("uq_ledger_reference")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_account", "ledger", ["account", "number"], unique=False)
    op.create_index("ix_ledger_job", "ledger", ["job"], unique=False)
    op.create_index(
        "uq_ledger_settlement",
        "ledger",
        ["job"],
        unique=True,
        sqlite_where=sa.text("kind IN ('capture', 'release')"),
        postgresql_where=sa.text("kind IN ('capture', 'release')"),
    )


def _create_queues() -> None:
    op.create_table(
        "queues",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused_at", REAL, nullable=True),
        sa.Column("clock", REAL, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queues")),
    )


def _create_fair_tags() -> None:
    op.create_table(
        "fair_tags",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("tag", REAL, nullable=False),
        sa.PrimaryKeyConstraint("queue", "user_id", name=op.f("pk_fair_tags")),
    )


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("nudge_address", sa.Text(), nullable=True),
        sa.Column("queues", sa.Text(), nullable=False),
        sa.Column("providers", sa.Text(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("busy", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("loop_lag_ms", REAL, server_default="0", nullable=False),
        sa.Column("rss_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", REAL, nullable=False),
        sa.Column("beat_at", REAL, nullable=False),
        sa.Column("beat_n", sa.Integer(), server_default="0", nullable=False),
        sa.Column("draining", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lost_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def _create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
