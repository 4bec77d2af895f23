"""Issues of reports."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "report_issues",
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("report", sa.String(80), nullable=False, index=True),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("audience", sa.String(160), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
    )
