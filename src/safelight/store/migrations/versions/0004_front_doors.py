"""What the front doors need: keys, tickets, rates, labels to search by, callbacks, counters and projects.

Processes of the release before may run beside it: what they submit has no rows in `labels`, and what they end is not
counted.

Revision ID: 0004
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(precision=53)


def upgrade() -> None:
    """Only adds: processes of the release before go on working meanwhile."""
    _extend_jobs()
    _extend_assets()
    _create_labels()
    _create_identity()
    _create_webhooks()
    _create_counters()
    _create_projects()


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("callback", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("request_hash", sa.Text(), nullable=True))
    known = sa.text("request_hash IS NOT NULL")
    columns = ["user_id", "request_hash", "number"]
    op.create_index("ix_jobs_request", "jobs", columns, sqlite_where=known, postgresql_where=known)
    ended = sa.text("finished_at IS NOT NULL")
    op.create_index("ix_jobs_finished", "jobs", ["finished_at"], sqlite_where=ended, postgresql_where=ended)


def _extend_assets() -> None:
    op.add_column("assets", sa.Column("removed_at", REAL, nullable=True))
    removed = sa.text("removed_at IS NOT NULL")
    op.create_index("ix_assets_removed", "assets", ["number"], sqlite_where=removed, postgresql_where=removed)


def _create_labels() -> None:
    """With the labels of the jobs that are there."""
    labels = op.create_table(
        "labels",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key", "value", "job", name=op.f("pk_labels")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_labels_job", "labels", ["job"])
    labelled = sa.text("SELECT number, user_id, labels FROM jobs WHERE labels <> '{}'")
    for job, user_id, written in op.get_bind().execute(labelled).fetchall():
        found = json.loads(written).items()
        op.bulk_insert(labels, [{"user_id": user_id, "key": k, "value": v, "job": job} for k, v in found])


def _create_identity() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("expires_at", REAL, nullable=True),
        sa.Column("revoked_at", REAL, nullable=True),
        sa.Column("used_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["user_id"])
    op.create_table(
        "tickets",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("expires_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_expiry", "tickets", ["expires_at"])
    op.create_table(
        "rates",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("full_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_rates")),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("rotated_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_webhook_secrets")),
    )
    op.create_table(
        "deliveries",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", NUMBER, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries_n", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", REAL, nullable=True),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("ended_at", REAL, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_deliveries_state")),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name=op.f("ck_deliveries_due_while_waiting")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_deliveries_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_deliveries_event", "deliveries", ["job", "sequence"], unique=True)
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_deliveries_due", "deliveries", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "delivery_tries",
        sa.Column("delivery", NUMBER, autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.Column("took_s", REAL, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery", "n", name=op.f("pk_delivery_tries")),
        sqlite_with_rowid=False,
    )


def _create_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", REAL, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", "shard", name=op.f("pk_counters")),
        sqlite_with_rowid=False,
    )


def _create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("updated_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_projects")),
        sa.UniqueConstraint("id", name=op.f("uq_projects_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_projects_user", "projects", ["user_id", "number"])
