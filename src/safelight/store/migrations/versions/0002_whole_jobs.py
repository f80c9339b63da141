"""What the whole life of jobs and calls needs: parking, batches, replays, looking after calls, spend, retention.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(precision=53)
LIVE = "status IN ('pending', 'processing')"


def upgrade() -> None:
    """Only adds: processes of the release before go on working meanwhile."""
    _extend_jobs()
    _extend_calls()
    _create_batches()
    _create_spend()
    op.add_column("queues", sa.Column("pause_reason", sa.Text(), nullable=True))
    op.add_column("queues", sa.Column("resumed_to", REAL, nullable=True))
    op.add_column("workers", sa.Column("kinds", sa.Text(), server_default="[]", nullable=False))
    op.add_column("workers", sa.Column("sweeps_n", sa.Integer(), server_default="0", nullable=False))
    op.add_column("workers", sa.Column("swept_at", REAL, nullable=True))


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("resumed_call", sa.Text(), nullable=True))
    op.add_column("jobs", sa.Column("pruning_at", REAL, nullable=True))
    _index(
        "ix_jobs_parked",
        "jobs",
        ["waiting_for", "queue", sa.text("priority DESC"), "vstart", "number"],
        "waiting_for IS NOT NULL",
    )
    _index("ix_jobs_suspect", "jobs", ["queue", "number"], "lost_n >= 2 AND status = 'pending'")
    _index("ix_jobs_running", "jobs", ["queue", "user_id"], "status = 'processing' OR resumes")
    _index("ix_jobs_unheeded", "jobs", ["cancel_requested_at"], f"cancel_requested_at IS NOT NULL AND {LIVE}")
    _index("uq_jobs_resumed_call", "jobs", ["resumed_call"], f"resumed_call IS NOT NULL AND {LIVE}", unique=True)
    _index("ix_jobs_live_items", "jobs", ["parent", "number"], f"parent IS NOT NULL AND {LIVE}")
    _index("ix_jobs_live_batches", "jobs", ["number"], f"kind = 'batch' AND {LIVE}")
    _index("ix_jobs_pruning", "jobs", ["number"], "pruning_at IS NOT NULL")


def _extend_calls() -> None:
    op.add_column("calls", sa.Column("checks_n", sa.Integer(), server_default="0", nullable=False))
    op.add_column("calls", sa.Column("unknown_at", REAL, nullable=True))
    _index("ix_calls_remote", "calls", ["remote_id"], "remote_id IS NOT NULL")
    _index("ix_calls_check", "calls", ["check_at"], "check_at IS NOT NULL")


def _create_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("job", NUMBER, autoincrement=False, nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("canceled", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_batches")),
    )


def _create_spend() -> None:
    op.create_table(
        "spend",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("usd", REAL, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("provider", "day", name=op.f("pk_spend")),
    )


def _index(name: str, table: str, columns: list[str | sa.TextClause], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
