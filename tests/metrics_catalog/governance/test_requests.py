"""Change requests: every way one can go, every refusal, and people who are faster than one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.office import Wish
from metrics_catalog.located import InvalidFiles

FEBRUARY = {"filter": "not is_promoted"}


def refused(call: Any, *arguments: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        call(*arguments)


# --- certified once


def test_nothing_can_be_asked_before_the_first_certification(new_town: Any) -> None:
    refused(new_town.propose, "net_sales", says="begin with `metrics certify`")
    assert new_town.ledger.entries() == []
    assert new_town.office().official == new_town.files()


def test_only_an_admin_certifies_and_only_once(new_town: Any) -> None:
    office = new_town.office()
    refused(office.bootstrap, "joe", "first", says="joe is not an admin")
    refused(office.bootstrap, "eve", "first", says='"eve" is not a person of people.yml')
    assert new_town.ledger.entries() == []
    record = office.bootstrap("boss", "first")
    assert {name: one.number for name, one in record.metrics().items()} == dict.fromkeys(new_town.metrics, 1)
    refused(office.bootstrap, "boss", "again", says="certified already")
    refused(new_town.office().bootstrap, "boss", "again", says="certified already")


# --- the life of a request


def test_an_approved_change_is_the_next_version_and_nothing_is_before(town: Any) -> None:
    before = town.office().official.metrics["net_sales"].spec
    request = town.propose("net_sales", **FEBRUARY)
    assert (request.state, request.need, request.changes) == ("in review", ("owner", "steward"), ("calculation",))
    assert request.effective == date(2024, 4, 1)
    assert town.office().official.metrics["net_sales"].spec == before
    assert town.approve(request, "ann").state == "in review"
    assert town.office().official.metrics["net_sales"].spec == before
    done = town.approve(request, "joe")
    assert (done.state, done.decided_by) == ("approved", "joe")
    version = town.office().record.current("metric/net_sales")
    assert (version.number, version.author, version.approvers) == (2, "ada", ("ann", "joe"))
    assert (version.request, version.reason, version.effective) == (1, "因为口径改变", date(2024, 4, 1))
    assert town.office().official.metrics["net_sales"].spec == town.files().metrics["net_sales"].spec
    about = "request/1"
    assert town.said() == [
        ("submitted", "metric/net_sales", "ada"),
        ("previewed", about, "ada"),
        ("approved", about, "ann"),
        ("approved", about, "joe"),
        ("certified", "metric/net_sales", "joe"),
        ("effective", about, "joe"),
    ]


def test_history_is_restated_only_when_that_was_asked_for(town: Any) -> None:
    assert town.propose("net_sales", restate=True, **FEBRUARY).effective is None


@pytest.mark.parametrize("author", ["ada", "ann", "boss", "joe"])
def test_whoever_asks_never_decides(town: Any, author: str) -> None:
    request = town.propose("net_sales", author, **FEBRUARY)
    office = town.office()
    refused(office.approve, request.id, author, says=f"{author} asked for CR-1, and whoever asks never decides")
    refused(office.desk.reject, request.id, author, "no", says="never decides")
    town.wait(days=20)
    refused(town.office().approve, request.id, author, says="never decides")
    assert town.office().request(1).approvals == ()


def test_approving_twice_counts_once(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    twice = town.approve(request, "bob", "bob", "bob")  # owner and steward, and one person
    assert twice.state == "in review"
    assert [one.person for one in twice.approvals] == ["bob"]
    assert sum(kind == "approved" for kind, *_ in town.said()) == 1
    assert town.office().desk.missing(twice) == {"steward": ["boss", "joe"]}
    assert town.approve(request, "ann").state == "approved"


def test_who_may_not_decide_is_told_who_may(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    for person in ("vic", "zoe"):
        refused(town.office().approve, request.id, person, says=f"{person} may not decide CR-1; it waits for ann, bob")
        refused(town.office().desk.reject, request.id, person, "no", says="may not decide")
    refused(town.office().approve, request.id, "eve", says='"eve" is not a person of people.yml')
    refused(town.office().desk.comment, request.id, "eve", "hm", says='"eve" is not a person')
    refused(town.office().preview, request.id, "eve", says='"eve" is not a person')
    refused(town.office().approve, 7, "ann", says="there is no request CR-7")


def test_a_rejected_change_leaves_what_is_certified(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.approve(request, "ann")
    done = town.office().desk.reject(request.id, "joe", "促销也是销售")
    assert (done.state, done.decided_by, done.decision) == ("rejected", "joe", "促销也是销售")
    assert town.office().record.current("metric/net_sales").number == 1
    for call in (town.office().approve, town.office().preview, town.office().desk.withdraw):
        refused(call, request.id, "ann", says="CR-1 was rejected on 2024-04-01")
    assert town.propose("net_sales").name == "CR-2"


def test_only_the_author_or_an_admin_takes_a_request_back(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    refused(town.office().desk.withdraw, request.id, "ann", says="only its author or an admin may withdraw it")
    assert town.office().desk.withdraw(request.id, "ada").state == "withdrawn"
    again = town.propose("net_sales")
    assert town.office().desk.withdraw(again.id, "boss").state == "withdrawn"
    refused(town.office().approve, again.id, "ann", says="was withdrawn")


def test_anybody_known_may_comment_before_and_after(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.office().desk.comment(request.id, "vic", "为什么？")
    town.office().desk.withdraw(request.id, "ada")
    said = town.office().desk.comment(request.id, "ada", "撤回").comments
    assert [(one.person, one.text) for one in said] == [("vic", "为什么？"), ("ada", "撤回")]
    refused(town.office().desk.comment, request.id, "ada", " \n", says="a comment says something")


def test_an_owners_own_wording_needs_nobody_else(town: Any) -> None:
    done = town.propose("net_sales", "ann", description="What customers paid, without tax.")
    assert (done.changes, done.state) == (("wording",), "approved")
    assert town.office().record.current("metric/net_sales").approvers == ("ann",)
    other = town.propose("visits", "ann", description="Visits.")  # zoe's
    assert other.state == "in review"
    refused(town.office().approve, other.id, "ann", says="ann may not decide CR-2; it waits for zoe")
    assert town.approve(other, "zoe").state == "approved"


# --- asked again, too late


def test_asked_again_it_is_the_same_request_and_another_text_has_to_wait(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    assert town.propose("net_sales", "vic").id == request.id
    refused(lambda: town.propose("net_sales", filter="is_promoted"), says="CR-1 by ada on net_sales is still open")
    assert len(town.office().record.requests) == 1


def test_a_request_nobody_answers_ends_and_can_be_asked_again(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.approve(request, "ann")
    town.wait(days=30, seconds=1)
    refused(town.office().approve, request.id, "joe", says="CR-1 was not answered for 30 days; propose it again")
    again = town.propose("net_sales")
    assert (again.id, again.approvals) == (2, ())
    assert town.office().request(request.id).state == "expired"
    town.wait(days=31)
    assert [one.id for one in town.office().desk.expire()] == [2]
    assert town.office().desk.expire() == []
    refused(town.office().approve, 2, "ann", says="CR-2 was expired on")


def test_after_some_days_an_admin_may_stand_in(town: Any) -> None:
    request = town.propose("visits", filter="store = '上海'")
    refused(town.office().approve, request.id, "boss", says="it waits for zoe")
    town.wait(days=3, seconds=1)
    assert town.approve(request, "boss").state == "approved"


def test_a_clock_that_goes_back_ends_nothing(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.wait(days=-400)
    done = town.approve(request, "ann", "joe")
    assert done.state == "approved"
    assert done.decided_at == request.opened_at


# --- who read what was approved


def test_who_opened_it_is_kept_once_for_each_preview(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    for person in ("ann", "ann", "joe"):
        town.office().request(request.id, person)
    town.office().request(request.id)
    town.office().request(request.id, "eve")  # a stranger may look, and is nobody
    assert [one for one in town.said() if one[0] == "read"] == [
        ("read", "request/1", "ann"),
        ("read", "request/1", "joe"),
    ]
    town.checksums["model.shop.fct_sales"] = "edited"
    town.office().preview(request.id, "ada")
    assert not town.office().request(request.id).read_by("ann")
    read = town.office().request(request.id, "ann").readings
    assert [one.person for one in read] == ["ann", "joe", "ann"]
    assert town.ledger.verify() == []


def test_an_approval_says_whether_it_was_read(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.office().request(request.id, "ann")
    done = town.approve(request, "ann", "joe")
    assert {one.person: one.read for one in done.approvals} == {"ann": True, "joe": False}
    entries = [one.event for one in town.ledger.entries() if one.event.kind == "approved"]
    assert [one.data["read"] for one in entries] == [True, False]
    assert [one.person for one in town.office().request(request.id, "bob").readings] == ["ann", "bob"]  # afterwards too


def test_where_the_policy_says_so_nobody_approves_what_they_did_not_open(town: Any) -> None:
    town.write("policy", {"business_date": "2024-03-31", "governance": {"must_read": True}})
    town.approve(town.propose("policy"), "boss", "joe")
    request = town.propose("visits", filter="store = '上海'")
    refused(town.office().approve, request.id, "zoe", says="open it first, with `metrics request CR-2`")
    town.office().request(request.id, "zoe")
    assert town.approve(request, "zoe").state == "approved"


# --- what an approval is for


def test_code_that_changes_under_a_request_lets_approvals_fall(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.approve(request, "ann")
    town.checksums["model.shop.fct_sales"] = "edited"
    refused(
        town.office().approve, request.id, "joe", says="has changed: it was previewed again and every approval fell"
    )
    fallen = town.office().request(request.id)
    assert (fallen.approvals, fallen.state) == ((), "in review")
    assert fallen.fingerprint != request.fingerprint
    assert town.said()[-1] == ("previewed", "request/1", "platform")
    assert town.approve(request, "joe").state == "in review"
    assert town.approve(request, "ann").state == "approved"


def test_a_file_edited_after_it_was_proposed_is_not_what_gets_certified(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    asked = request.text
    town.edit("net_sales", filter="units > 1000")
    town.approve(request, "ann", "joe")
    assert town.office().record.current("metric/net_sales").text == asked
    assert [one.name for one in town.office().proposals()] == ["net_sales"]


def test_a_metric_under_it_that_is_certified_anew_lets_approvals_fall(town: Any) -> None:
    above = town.propose("average_line", expr=None, denominator="visits")
    under = town.propose("net_sales", **FEBRUARY)
    town.approve(under, "ann", "joe")
    refused(town.office().approve, above.id, "zoe", says="every approval fell")


def test_a_forged_or_old_fingerprint_approves_nothing(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    for forged in ("0" * 16, "", request.fingerprint.upper() + " "):
        refused(town.office().approve, request.id, "ann", forged, says="previewed again since you looked")
        refused(town.office().desk.approve, request.id, "ann", forged, says="has changed; look at it again")
    town.checksums["model.shop.fct_sales"] = "edited"
    again = town.office().preview(request.id, "ada")
    refused(town.office().approve, request.id, "ann", request.fingerprint, says="previewed again since you looked")
    assert town.office().approve(request.id, "ann", again.fingerprint).approvals[0].person == "ann"


def test_an_approver_who_left_no_longer_counts(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.approve(request, "ann")
    town.staff(without=["ann"])
    assert town.approve(town.propose("people"), "boss").state == "approved"
    assert town.approve(request, "joe").state == "in review"
    refused(town.office().approve, request.id, "ann", says='"ann" is not a person')
    assert town.office().desk.missing(town.office().request(1)) == {"owner": ["bob"]}
    town.approve(request, "bob")
    assert town.office().record.current("metric/net_sales").approvers == ("joe", "bob")


def test_edited_people_and_policy_mean_nothing_until_they_are_approved(town: Any) -> None:
    town.staff(ada=["admin"], vic=["admin"], boss=["viewer"])
    weak = {"rules": [{"changes": ["policy", "people", "calculation"], "need": ["owner"], "author_counts": True}]}
    town.write("policy", {"business_date": "2024-03-31", "governance": weak})
    request = town.propose("policy")
    assert (request.need, request.author_counts, request.state) == (("steward", "admin"), False, "in review")
    refused(town.office().approve, request.id, "vic", says="vic may not decide CR-1; it waits for")
    refused(town.office().approve, request.id, "ada", says="never decides")
    assert town.approve(request, "boss", "boss").state == "in review"
    change = town.propose("net_sales", **FEBRUARY)
    assert change.need == ("owner", "steward")
    assert town.approve(request, "joe").state == "approved"
    refused(town.office().approve, change.id, "ann", says="every approval fell")  # it was judged by the old rules
    assert town.office().request(change.id).need == ("owner",)


# --- several metrics


def test_who_needs_a_metric_keeps_it(town: Any) -> None:
    end = town.office().end
    refused(end, "net_sales", "ada", "no use", "retire", says="average_line need net_sales")
    del town.metrics["net_sales"], town.metrics["average_line"]
    refused(lambda: town.propose("net_sales"), says="average_line need net_sales; change or retire them first")
    assert town.office().record.requests == {}
    refused(end, "net_sale", "ada", "no use", "retire", says='no certified metric "net_sale" .did you mean "net_sales"')
    refused(end, "visits", "ada", "no use", "deprecate", "visits", says='"visits" is not another certified metric')
    refused(end, "visits", "ada", "no use", "deprecate", "nothing", says='"nothing" is not another certified metric')


def test_a_metric_that_somebody_began_to_need_is_not_retired(town: Any) -> None:
    request = town.office().end("visits", "ada", "no use", "retire")
    town.edit("visits_per_line", type="ratio", numerator="visits", denominator="lines", grains=["month"])
    town.approve(town.propose("visits_per_line"), "ann")
    with pytest.raises(InvalidFiles, match=r"visits_per_line\.yml:\d+ error .*visits"):
        town.approve(request, "zoe")
    assert town.office().record.current("metric/visits").status == "certified"


def test_retired_it_is_gone_and_its_name_used_again_is_noted(town: Any) -> None:
    request = town.office().end("visits", "ada", "nobody looks", "retire")
    assert town.approve(request, "zoe").state == "approved"
    assert "visits" not in town.office().official.metrics
    assert town.office().desk.missing(town.office().request(request.id)) == {}
    assert town.office().record.current("metric/visits").text  # what it was stays readable
    (left,) = town.office().proposals()
    assert (left.name, left.changes, left.base) == ("visits", ("create",), 2)
    again = town.propose("visits", model="sales", expr="line_id", agg="count_distinct")
    assert "the name was that of a metric retired on 2024-04-01" in again.duplicates
    assert town.approve(again, "zoe").state == "approved"
    assert town.office().record.current("metric/visits").number == 3


def test_a_deprecated_metric_is_computed_until_then_and_stays_so_when_its_words_change(town: Any) -> None:
    request = town.office().end("visits", "ada", "use lines", "deprecate", "lines")
    assert (request.until, request.successor) == (date(2024, 5, 1), "lines")
    refused(town.office().end, "visits", "ada", "use it", "deprecate", "net_sales", says="still open")
    town.approve(request, "zoe")
    assert "visits" in town.office().official.metrics
    town.propose("visits", "zoe", description="Other words.")
    version = town.office().record.current("metric/visits")
    assert (version.number, version.status, version.successor, version.until) == (
        3,
        "deprecated",
        "lines",
        date(2024, 5, 1),
    )


def test_new_words_do_not_carry_a_calculation_into_the_past(town: Any) -> None:
    town.approve(town.propose("net_sales", **FEBRUARY), "ann", "joe")
    town.propose("net_sales", "ann", description="Without promotions.")
    town.approve(town.propose("net_sales", target={"month": 300}), "ann", "joe")
    town.approve(town.office().end("net_sales", "ada", "use lines", "deprecate", "lines"), "ann", "joe")
    versions = town.office().record.versions["metric/net_sales"]
    assert [one.effective for one in versions] == [None] + [date(2024, 4, 1)] * 4
    (era,) = town.office().official.eras
    assert era.until == date(2024, 4, 1)
    assert era.catalog.metrics["net_sales"].spec.filter is None
    assert town.office().official.metrics["net_sales"].spec.filter == "not is_promoted"


def test_metrics_that_compute_the_same_are_named(town: Any) -> None:
    request = town.propose("revenue", grains=["month"], description="Again.")
    assert request.duplicates == ("net_sales computes the same",)
    assert town.propose("units_sold", expr="units").duplicates == ()


def test_a_certified_text_that_no_longer_fits_is_an_error_with_its_place(town: Any) -> None:
    town.columns["amount_usd"] = "varchar"
    with pytest.raises(InvalidFiles, match=r"metrics_catalog/metrics/sales/net_sales\.yml:\d+ error"):
        _ = town.propose("visits", filter="store = '上海'")
    assert town.office().record.requests == {}


def test_what_does_not_hold_together_is_refused_before_anything_is_written(town: Any) -> None:
    town.edit("units_sold", expr="units", grains=["month"])
    town.edit("visits", owner="newcomers")
    town.staff(teams={"newcomers": ["ann"]})
    with pytest.raises(InvalidFiles, match=r'owner "newcomers" is not in people\.yml'):
        town.propose("visits")
    town.edit("average_line", denominator="units_sold")
    with pytest.raises(InvalidFiles, match="units_sold"):
        town.propose("average_line")
    assert town.office().record.requests == {}


# --- who is faster


def test_two_who_approve_at_once_certify_once(town: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    offices = [town.office() for _ in range(4)]

    def approve(place: int) -> str:
        try:
            return offices[place].approve(request.id, ("ann", "joe", "bob", "boss")[place]).state
        except Refused as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(approve, range(4)))
    assert town.office().request(request.id).state == "approved"
    assert sum(kind == "certified" for kind, *_ in town.said()) == 1
    assert town.office().record.current("metric/net_sales").number == 2
    assert all(one in ("approved", "in review") or "CR-1 was approved" in one or "meanwhile" in one for one in told)
    assert town.ledger.verify() == []


def test_two_who_ask_at_once_have_one_request(town: Any) -> None:
    town.edit("net_sales", **FEBRUARY)
    offices = {author: town.office() for author in ("ada", "vic", "zoe")}
    with ThreadPoolExecutor(3) as pool:
        ids = list(pool.map(lambda one: offices[one].propose("net_sales", one, Wish("why")).id, offices))
    assert ids == [1, 1, 1]
    assert sum(kind == "submitted" for kind, *_ in town.said()) == 1


def test_different_requests_at_once_get_numbers_of_their_own(town: Any) -> None:
    town.edit("net_sales", **FEBRUARY)
    town.edit("lines", filter="units > 1")
    town.edit("visits", filter="store = '上海'")
    offices = {metric: town.office() for metric in ("net_sales", "lines", "visits")}
    with ThreadPoolExecutor(3) as pool:
        ids = list(pool.map(lambda one: offices[one].propose(one, "ada", Wish("why")).id, offices))
    assert sorted(ids) == [1, 2, 3]
    requests = town.office().record.requests
    assert {requests[number].metric: number for number in ids} == dict(zip(offices, ids, strict=True))


def test_two_who_certify_a_project_at_once_do_it_once(new_town: Any) -> None:
    offices = [new_town.office() for _ in range(3)]

    def certify(office: Any) -> str:
        try:
            office.bootstrap("boss", "first")
        except Refused as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(certify, offices))
    assert told.count("done") == 1
    assert [one.number for one in new_town.office().record.metrics().values()] == [1] * 4


def test_an_approver_removed_while_he_approves_is_refused(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    town.approve(request, "joe")
    town.staff(without=["ann"])
    people = town.propose("people")
    slow = town.office()
    _between(monkeypatch, lambda: town.approve(people, "boss"))
    refused(slow.approve, request.id, "ann", says="something else was certified meanwhile")
    assert town.office().request(request.id).is_open
    refused(slow.approve, request.id, "ann", says='"ann" is not a person')


def test_a_metric_under_it_certified_in_the_same_moment_is_noticed(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    above, under = town.propose("average_line", denominator="visits"), town.propose("net_sales", **FEBRUARY)
    town.approve(under, "ann")
    slow = town.office()
    _between(monkeypatch, lambda: town.approve(under, "joe"))
    refused(slow.approve, above.id, "zoe", says="something else was certified meanwhile")
    refused(slow.approve, above.id, "zoe", says="every approval fell")
    assert town.office().record.current("metric/average_line").number == 1


PROCESS = """
    import contextlib, json, os, signal
    from datetime import UTC, datetime
    from metrics_catalog.governance import ledger as module
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.clerk import Refused
    from metrics_catalog.governance.requests import Desk
    from metrics_catalog.ops.store import open_store, writing
    from metrics_catalog.spec.people import People
    from metrics_catalog.spec.policy import Policy
    url, people, fingerprint, persons, deadly = given
    if deadly == "before the commit":
        @contextlib.contextmanager
        def dying(engine):
            with writing(engine) as con:
                yield con
                os.kill(os.getpid(), signal.SIGKILL)
        module.writing = dying
    desk = Desk(
        Ledger(open_store(url)), People.model_validate(json.loads(people)), Policy(),
        lambda: datetime(2024, 4, 1, 9, tzinfo=UTC),
    )
    # together
    try:
        print(desk.approve(1, persons.split(",")[who], fingerprint).state)
    except Refused as error:
        print(error)
    if deadly == "after the commit":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_approving_at_once_certify_once(town: Any, ops_url: str, crowd: Any) -> None:
    request = town.propose("net_sales", **FEBRUARY)
    people = town.files().people.model_dump_json()
    ended = crowd.run(PROCESS, ops_url, people, request.fingerprint, "ann,joe,bob,boss", "no", count=4)
    assert [one.returncode for one in ended] == [0] * 4, "\n".join(one.stderr for one in ended)
    assert sum(kind == "certified" for kind, *_ in town.said()) == 1
    assert sum(kind == "effective" for kind, *_ in town.said()) == 1
    assert town.office().request(1).state == "approved"
    assert any(one.stdout.strip() == "approved" for one in ended)
    assert town.ledger.verify() == []


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_killed_while_approving_all_of_it_happened_or_nothing(town: Any, ops_url: str, crowd: Any, when: str) -> None:
    request = town.propose("visits", filter="store = '上海'")
    people = town.files().people.model_dump_json()
    (ended,) = crowd.run(PROCESS, ops_url, people, request.fingerprint, "zoe", when, count=1)
    assert ended.returncode == -9
    kinds = [kind for kind, *_ in town.said()]
    if when == "before the commit":
        assert kinds == ["submitted", "previewed"]
        assert town.approve(request, "zoe").state == "approved"
    else:
        assert kinds == ["submitted", "previewed", "approved", "certified", "effective"]
        refused(town.office().approve, request.id, "zoe", says="CR-1 was approved")
    assert town.office().record.current("metric/visits").number == 2
    assert town.ledger.verify() == []


def _between(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let ``act`` happen once, after somebody looked at a request and before he says yes."""
    from metrics_catalog.governance.standing import Standing

    original = Standing.fingerprint

    def slow(standing: Standing, request: Any) -> str:
        found = original(standing, request)
        monkeypatch.setattr(Standing, "fingerprint", original)
        act()
        return found

    monkeypatch.setattr(Standing, "fingerprint", slow)
