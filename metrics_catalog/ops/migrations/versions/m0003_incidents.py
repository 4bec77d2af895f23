"""Incidents, and how each source came out of a refresh."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "incidents",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(300), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("metric", sa.String(80), index=True),
        sa.Column("assignee", sa.String(80)),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32)),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "incident_events",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, nullable=False, index=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "source_health",
        sa.Column("run_id", sa.String(80), primary_key=True),
        sa.Column("source", sa.String(80), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
        sa.Column("data", sa.Text, nullable=False),
    )
