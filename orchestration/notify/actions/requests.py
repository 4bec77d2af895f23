"""Answers to change requests, by the same office as the command line's: whoever asked is refused here, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label
from orchestration.notify.actions import Action, Choice, Form

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.record import Request


@contextmanager
def office_of(project: Project) -> Iterator[Office]:
    """Governance of a project as it is now."""
    from datetime import UTC, datetime
    from functools import partial

    from metrics_catalog.governance.begun import definitions_of
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.office import Office, read_only
    from metrics_catalog.ops.store import open_store

    store = open_store(project.ops)
    try:
        warehouse = partial(read_only, project.warehouse)
        yield Office(definitions_of(project).files, Ledger(store), warehouse, lambda: datetime.now(UTC))
    finally:
        store.dispose()


def value_of(request: Request) -> str:
    """What a button carries: the request, and the preview its reader saw."""
    return f"{request.name} {request.fingerprint}"


def _approve(project: Project, actor: str, value: str, _choice: Choice) -> Label:
    from metrics_catalog.governance.repository import carried_out

    number, fingerprint = _read(value)
    with office_of(project) as office:
        office.request(number, reader=actor)  # the letter with the button shows all of it
        request = office.approve(number, actor, fingerprint)
        waiting = sorted({one for people in office.desk.missing(request).values() for one in people})
        list(carried_out(project.root, office, [request]))
    if request.is_open:
        named = ", ".join(waiting)
        return Label(
            en=f"You approved {request.name}; it waits for {named}.", zh=f"你已批准 {request.name}，还需 {named} 审批。"
        )
    return Label(en=f"{request.name} is approved and takes effect.", zh=f"{request.name} 已批准并生效。")


def _reject(project: Project, actor: str, value: str, choice: Choice) -> Label:
    if not choice.text.strip():
        raise Refused("say why you reject it")
    number, _ = _read(value)
    with office_of(project) as office:
        request = office.desk.reject(number, actor, choice.text.strip())
    said = Label(en="what is certified stays as it is", zh="已认证的口径保持不变")
    return Label(en=f"{request.name} is rejected; {said.en}.", zh=f"{request.name} 已驳回，{said.zh}。")


def _read(value: str) -> tuple[int, str]:
    name, _, fingerprint = value.partition(" ")
    digits = name.removeprefix("CR-")
    if not digits.isdigit() or not fingerprint:
        raise Refused(f'"{name}" is not a change request')
    return int(digits), fingerprint


ACTIONS = {
    "approve": Action(_approve),
    "reject": Action(_reject, Form(Label(en="Reject: why?", zh="驳回：原因？"), needs_text=True)),
}
