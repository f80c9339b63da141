"""Recoveries: what an operator has planned for many stuck jobs at once, and what became of each of them.

Processes of the release before may run beside it: they sweep without carrying plans out, and another does that.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CREDITS = sa.BigInteger()
TIME = sa.Float(precision=53)


def upgrade() -> None:
    """Only adds: processes of the release before go on working meanwhile."""
    op.create_table(
        "recoveries",
        sa.Column("number", NUMBER, sa.Identity(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("effective_at", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("credits", CREDITS, nullable=False),
        sa.Column("untouched", sa.Text(), server_default="{}", nullable=False),
        sa.Column("counts", sa.Text(), server_default="{}", nullable=False),
        sa.Column("stopped_by", sa.Text()),
        sa.Column("ended_at", TIME),
        sa.CheckConstraint("action IN ('requeue', 'fail', 'cancel', 'retry')", name=op.f("ck_recoveries_action")),
        sa.CheckConstraint("state IN ('planned', 'running', 'done', 'canceled')", name=op.f("ck_recoveries_state")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_recoveries")),
        sa.UniqueConstraint("id", name=op.f("uq_recoveries_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_recoveries_open",
        "recoveries",
        ["effective_at"],
        sqlite_where=sa.text("state IN ('planned', 'running')"),
        postgresql_where=sa.text("state IN ('planned', 'running')"),
    )
    op.create_table(
        "recovery_jobs",
        sa.Column("recovery", NUMBER, autoincrement=False, nullable=False),
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("at", TIME),
        sa.PrimaryKeyConstraint("recovery", "job", name=op.f("pk_recovery_jobs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_recovery_jobs_job", "recovery_jobs", ["job"])
    op.create_index(
        "ix_recovery_jobs_left",
        "recovery_jobs",
        ["recovery", "job"],
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "ix_jobs_replay",
        "jobs",
        ["replay_of"],
        sqlite_where=sa.text("replay_of IS NOT NULL"),
        postgresql_where=sa.text("replay_of IS NOT NULL"),
    )
