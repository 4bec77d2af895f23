"""The ledger, which takes new rows and nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = """
create trigger ledger_{what} before {what} on ledger
begin select raise(abort, 'the ledger takes new rows only'); end
"""
# Also keeps `insert or replace` out, which deletes without asking the trigger above.
_SQLITE_NEXT = """
create trigger ledger_next before insert on ledger
when new.seq <> (select coalesce(max(seq), 0) + 1 from ledger)
begin select raise(abort, 'the ledger takes the next entry only'); end
"""
_POSTGRES = (
    """
    create function ledger_is_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'the ledger takes new rows only'; end $$
    """,
    """
    create trigger ledger_append_only before update or delete or truncate on ledger
    for each statement execute function ledger_is_append_only()
    """,
)


def upgrade() -> None:
    """Make the table and its guards."""
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(160), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(_SQLITE.format(what=what))
        op.execute(_SQLITE_NEXT)
    else:
        for statement in _POSTGRES:
            op.execute(statement)
