"""What real providers need: inputs and text of jobs.

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


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("inputs", sa.Text(), server_default="[]", nullable=False))
    op.add_column("jobs", sa.Column("text", sa.Text(), nullable=True))


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
    op.create_table(
        "durations",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("p50_s", REAL, nullable=False),
        sa.Column("p95_s", REAL, nullable=False),
        sa.Column("newest", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_durations")),
    )
