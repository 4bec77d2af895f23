"""An item's proposal becomes a change request or a decision, by the doors that people use. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Entry
from metrics_catalog.decisions.desk import Decisions, Said
from metrics_catalog.decisions.record import Decision
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.office import Office, Wish
from metrics_catalog.governance.record import Request
from metrics_catalog.review.item import Item, Proposal
from metrics_catalog.yaml_edit import with_key

if TYPE_CHECKING:
    from pathlib import Path


def accept(
    item: Item, office: Callable[[], Office], desk: Callable[[], Decisions], user: str, root: Path, now: bool = False
) -> Request | Decision:
    """Ask for what the item proposes; ``office`` reads the files anew. ``now``: retire without a grace.

    Raises `Refused`, `InvalidFiles`, `OpsUnavailable`.
    """
    proposal = item.proposal
    if proposal is None:
        raise Refused(f"{item.key} proposes nothing to accept: {item.proposed['en']}")
    if proposal.do == "deprecate":
        change = "retire" if now else "deprecate"
        return office().end(proposal.metric, user, proposal.reason, change, None if now else proposal.successor)
    if proposal.do == "calm":
        return _calmed(proposal, office, user, root)
    language = _language(office(), user)
    action = proposal.action.get(language) or proposal.action["en"]
    return desk().decide(proposal.metric, Said(action=action, cause=proposal.reason), user)


def _calmed(proposal: Proposal, office: Callable[[], Office], user: str, root: Path) -> Request:
    """Write the new keys into the metric's file and ask for that; refused, the file is as it was."""
    before = office()
    entry = before.files.metrics.get(proposal.metric)
    if entry is None or proposal.metric not in before.official.metrics:
        raise Refused(f"{proposal.metric} has no certified metric file any more; make a new review")
    _must_be_certified(before, entry)
    path = root / entry.document.path
    text = path.read_text(encoding="utf-8")
    new = text
    for key, value in proposal.edit.items():
        new = with_key(new, key, value)
    if new == text:
        raise Refused(f"{entry.document.path} says so already")
    path.write_text(new, encoding="utf-8")
    try:
        return office().propose(proposal.metric, user, Wish(proposal.reason))
    except BaseException:
        path.write_text(text, encoding="utf-8")
        raise


def _must_be_certified(office: Office, entry: Entry) -> None:
    if entry.is_dbts:
        raise Refused(f"{entry.name} is the dbt project's own; change it in {entry.document.path}")
    if not office.record.begun:
        raise Refused("nothing is certified yet, so nothing can be asked for; begin with `metrics certify`")
    if any(one.name == entry.name for one in office.proposals()):
        raise Refused(f"{entry.document.path} differs from what is certified; propose or undo that first")


def _language(office: Office, user: str) -> str:
    person = office.official.people.people.get(user)
    return "en" if person is None else person.language
