"""Decisions and reads."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("metric", sa.String(80), nullable=False, index=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("incident", sa.Integer, index=True),
        sa.Column("due", sa.String(10), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "decision_events",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("decision", sa.Integer, nullable=False, index=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "reads",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("face", sa.String(16), nullable=False),
        sa.Column("metric", sa.String(80), nullable=False, index=True),
        sa.Column("data", sa.Text, nullable=False),
    )
