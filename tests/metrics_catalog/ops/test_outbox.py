"""Letters put in beside their record: once, in one transaction, growing by editions; also by several at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.message import Letter, Message
from metrics_catalog.ops.claims import claim, sent
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, reading, writing
from metrics_catalog.ops.tables import outbox

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)


@pytest.fixture
def engine(ops_url: str) -> Iterator[sa.Engine]:
    engine = open_store(ops_url)
    yield engine
    engine.dispose()


def letter(key: str, title: str = "跌了") -> Letter:
    return Letter(key, "slack", "C0", Message(title, severity=2))


def putting(engine: sa.Engine, *letters: Letter, now: datetime = NOW) -> int:
    with writing(engine, None) as con:
        return put(con, letters, now)


def row(engine: sa.Engine, key: str = "INC-1") -> Any:
    with reading(engine) as con:
        return con.execute(sa.select(outbox).where(outbox.c.key == key)).one()


def test_put_twice_is_sent_once_and_a_change_is_an_edition(engine: sa.Engine) -> None:
    assert putting(engine, letter("INC-1"), letter("INC-2")) == 2
    assert putting(engine, letter("INC-1"), letter("INC-2", "好了")) == 1
    assert (row(engine).edition, row(engine, "INC-2").edition) == (1, 2)
    one = claim(engine, "slack", NOW)
    assert one is not None
    assert sent(engine, one, "C0/1", {}, NOW)
    assert putting(engine, letter("INC-1")) == 0
    assert row(engine).state == "sent"
    assert putting(engine, letter("INC-1", "好了"), now=NOW + timedelta(hours=1)) == 1
    assert (row(engine).state, row(engine).edition, row(engine).sent_edition) == ("waiting", 2, 1)


def test_an_edition_that_comes_while_the_last_is_sent_is_sent_after_it(engine: sa.Engine) -> None:
    putting(engine, letter("INC-1"))
    one = claim(engine, "slack", NOW)
    assert one is not None
    putting(engine, letter("INC-1", "好了"))
    assert row(engine).state == "claimed"
    assert claim(engine, "slack", NOW) is None
    assert sent(engine, one, "C0/1", {}, NOW)
    two = claim(engine, "slack", NOW)
    assert two is not None
    assert (two.message.title, two.edition, two.sent_edition, two.external) == ("好了", 2, 1, "C0/1")


def test_what_is_rolled_back_was_never_to_be_told(engine: sa.Engine) -> None:
    def fails() -> None:
        with writing(engine, None) as con:
            put(con, [letter("INC-1")], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with reading(engine) as con:
        assert con.execute(sa.select(sa.func.count()).select_from(outbox)).scalar() == 0


def test_several_put_the_same_letters_at_once(engine: sa.Engine, ops_url: str, crowd: Any) -> None:
    code = """
        from datetime import UTC, datetime
        from metrics_catalog.message import Letter, Message
        from metrics_catalog.ops.outbox import put
        from metrics_catalog.ops.store import open_store, writing
        engine = open_store(given[0])
        letters = [Letter(f"INC-{n}", "slack", "C0", Message(f"title {n}", severity=2)) for n in range(20)]
        letters = letters if who else letters[::-1]
        # together
        for _ in range(5):
            with writing(engine, None) as con:
                print(put(con, letters, datetime.now(UTC)))
    """
    ended = crowd.run(code, ops_url, count=3)
    assert [one.returncode for one in ended] == [0] * 3, "\n".join(one.stderr for one in ended)
    assert sum(int(line) for one in ended for line in one.stdout.split()) == 20
