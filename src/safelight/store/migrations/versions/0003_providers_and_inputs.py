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


def _extend_jobs() -> None:
    op.add_column("jobs", sa.Column("inputs", sa.Text(), server_default="[]", nullable=False))
    op.add_column("jobs", sa.Column("text", sa.Text(), nullable=True))
