"""Deprecated, taken back, retired when the grace is over: asked for by itself, once, and never unasked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.endings import remove_file, retire_overdue
from metrics_catalog.governance.status import Status

GRACE = 30


@pytest.fixture
def overdue(town: Any) -> Any:
    """``visits`` is deprecated in favour of ``lines``, and its grace is over."""
    town.approve(town.office().end("visits", "ada", "use lines", "deprecate", "lines"), "zoe")
    town.wait(days=GRACE)
    assert told(town) == []  # its last day is still one of its grace
    town.wait(days=1)
    return town


def told(town: Any) -> list[str]:
    return list(retire_overdue(town.office(), town.now))


def version(town: Any) -> Any:
    return town.office().record.current("metric/visits")


def test_a_metric_whose_grace_is_over_is_asked_to_be_retired_once(overdue: Any) -> None:
    line = "visits: its grace ended on 2024-05-01; CR-2 to retire it waits for zoe; it concerns zoe"
    assert told(overdue) == [line]
    assert told(overdue) == [line]
    request = overdue.office().request(2)
    assert (request.author, request.changes, request.need) == ("platform", ("retire",), ("owner",))
    assert version(overdue).status == "deprecated"
    assert overdue.approve(request, "zoe").state == "approved"
    assert (version(overdue).status, version(overdue).successor) == ("retired", "lines")
    assert told(overdue) == []


def test_a_no_is_not_asked_again_and_reminds(overdue: Any) -> None:
    told(overdue)
    overdue.office().desk.reject(2, "zoe", "still needed")
    assert told(overdue) == [
        "visits: its grace ended on 2024-05-01; CR-2 to retire it was rejected: retire or revive it; it concerns zoe"
    ]
    assert len(overdue.office().record.requests) == 2


def test_what_nobody_answered_is_asked_again(overdue: Any) -> None:
    told(overdue)
    overdue.wait(days=31)
    overdue.office().desk.expire()
    assert "CR-3 to retire it waits for" in told(overdue)[0]


def test_where_the_policy_says_so_it_is_retired_unasked(overdue: Any) -> None:
    overdue.write("policy", {"business_date": "2024-03-31", "governance": {"retire_after_grace": True}})
    overdue.approve(overdue.propose("policy"), "boss", "joe")
    assert told(overdue) == ["visits: its grace ended on 2024-05-01; it is retired (CR-3); it concerns zoe"]
    assert (version(overdue).status, version(overdue).author, version(overdue).approvers) == ("retired", "platform", ())
    assert told(overdue) == []
    assert overdue.ledger.verify() == []


def test_who_still_needs_it_is_named_and_it_stays(town: Any) -> None:
    town.approve(town.office().end("lines", "ada", "old", "deprecate"), "ann")
    town.wait(days=GRACE + 1)
    (line,) = told(town)
    assert line.startswith("lines: its grace ended on 2024-05-01, but average_line need lines")
    assert line.endswith("it concerns ann, bob, zoe")
    assert len(town.office().record.requests) == 1


def test_a_deprecation_is_taken_back_by_approval(overdue: Any) -> None:
    with pytest.raises(Refused, match="lines is not deprecated"):
        overdue.office().end("lines", "ada", "needed", "revive")
    request = overdue.office().end("visits", "ada", "needed", "revive")
    assert (request.changes, request.need) == (("revive",), ("owner",))
    assert version(overdue).status == "deprecated"
    overdue.approve(request, "zoe")
    now = version(overdue)
    assert (now.number, now.status, now.successor, now.until) == (3, "certified", None, None)
    assert told(overdue) == []


def test_nobody_ends_a_metric_in_the_name_of_the_platform(overdue: Any) -> None:
    for call in (
        lambda: overdue.office().end("visits", "platform", "x", "retire"),
        lambda: overdue.propose("net_sales", "platform", filter="not is_promoted"),
    ):
        with pytest.raises(Refused, match='"platform" is not a person'):
            call()
    told(overdue)
    with pytest.raises(Refused, match='"platform" is not a person'):
        overdue.office().preview(2, "platform")


def test_the_file_of_what_was_retired_goes_unless_it_was_edited(town: Any) -> None:
    town.files()
    path = town.folder / version(town).path
    assert not remove_file(town.folder, town.office().record, "visits")  # it is certified
    town.approve(town.office().end("visits", "ada", "unused", "retire"), "zoe")
    record, text = town.office().record, path.read_text("utf-8")  # an office writes the files of the town anew
    path.write_text(text + "# mine\n", encoding="utf-8")
    assert not remove_file(town.folder, record, "visits")
    path.write_text(text, encoding="utf-8")
    assert remove_file(town.folder, record, "visits")
    assert not path.exists()
    with pytest.raises(Refused, match="visits was retired on 2024-04-01; to have it again, put its file back"):
        town.office().end("visits", "ada", "needed", "revive")


def test_its_standing_names_the_request_that_ends_it(overdue: Any) -> None:
    told(overdue)
    request = overdue.office().request(2)
    status = Status("visits", "deprecated", version(overdue), request=request)
    assert str(status) == "deprecated, use lines until 2024-05-01; CR-2 asks to retire it"
    assert version(overdue).until == date(2024, 5, 1)
