"""What is to be told, and what was."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String(400), nullable=False),
        sa.Column("parent", sa.String(200)),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("sent_edition", sa.Integer, nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.String(32), nullable=False),
        sa.Column("claimed_by", sa.String(80)),
        sa.Column("claimed_at", sa.String(32)),
        sa.Column("external", sa.String(200)),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.String(32)),
        sa.Column("message", sa.Text, nullable=False),
    )
