"""What real providers need: inputs and text of jobs, terms and durations of models, gates of providers, uploads.

Processes of the release before may run beside it. Two things that they do not know of do no harm: their sweepers let
jobs in that wait for a gate, which then find it shut and wait again; their pruners remove jobs and leave what these
have in `job_inputs`, which the removal of expired uploads takes away.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(precision=53)


def upgrade() -> None:
    """Only adds: processes of the release before go on working meanwhile."""
    _extend_jobs()
    _add_catalog()
    _create_gates()
    _create_uploads()


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("inputs", sa.Text(), server_default="[]", nullable=False))
    op.add_column("jobs", sa.Column("text", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("text", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("charge", sa.Integer(), nullable=True))
    op.add_column("calls", sa.Column("cut_short", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("calls", sa.Column("provider_request_id", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("cut_short", sa.Boolean(), server_default=sa.false(), nullable=False))


def _add_catalog() -> None:
    """Prices by use, who may use what, and how long models take."""
    op.add_column("jobs", sa.Column("terms", sa.Text(), nullable=True))
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("running_cap", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
    )
    capped = sa.text("running_cap IS NOT NULL")
    op.create_index("ix_users_capped", "users", ["running_cap"], sqlite_where=capped, postgresql_where=capped)
    op.create_table(
        "durations",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("p50_s", REAL, nullable=False),
        sa.Column("p95_s", REAL, nullable=False),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_durations")),
    )


def _create_gates() -> None:
    """The gates of providers, and the deadline that a job sent back by one gets again."""
    op.add_column("jobs", sa.Column("first_deadline_at", REAL, nullable=True))
    op.create_table(
        "gates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cooldown_until", REAL, nullable=True),
        sa.Column("cooldowns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tripped_at", REAL, nullable=True),
        sa.Column("trips", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trial_at", REAL, nullable=True),
        sa.Column("trial_call", sa.Text(), nullable=True),
        sa.Column("trial_until", REAL, nullable=True),
        sa.Column("paced_until", REAL, nullable=True),
        sa.Column("spent_until", REAL, nullable=True),
        sa.Column("spent_ceiling", REAL, nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failed_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
    )


def _create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("expires_at", REAL, nullable=True),
        sa.Column("stored_at", REAL, nullable=True),
        sa.Column("removing_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_uploads")),
        sa.UniqueConstraint("id", name=op.f("uq_uploads_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_uploads_user", "uploads", ["user_id", "sha256"])
    op.create_index("ix_uploads_key", "uploads", ["key"])
    _index("ix_uploads_unused", "uploads", ["user_id", "expires_at"], "expires_at IS NOT NULL")
    _index("ix_uploads_expiry", "uploads", ["expires_at"], "expires_at IS NOT NULL")
    _index("ix_uploads_leaving", "uploads", ["number"], "removing_at IS NOT NULL")
    op.create_table(
        "job_inputs",
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.Column("upload", NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("job", "upload", name=op.f("pk_job_inputs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_inputs_upload", "job_inputs", ["upload"])


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
