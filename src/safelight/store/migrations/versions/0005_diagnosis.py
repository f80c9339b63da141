"""What a diagnosis asks for: who left a queue last, and what all but one in a hundred jobs of a model need.

Processes of the release before may run beside it: where one of them ends in good order nobody says so.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

REAL = sa.Float(precision=53)


def upgrade() -> None:
    """Only adds: processes of the release before go on working meanwhile."""
    op.add_column("durations", sa.Column("p99_s", REAL, server_default="0", nullable=False))
    op.create_table(
        "departures",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("left_at", REAL, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_departures")),
    )
