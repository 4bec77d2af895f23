"""What is done about an incident: acknowledge, resolve with a reason, take it over, hear nothing of it for a day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metrics_catalog.monitoring.alert_message import REASONS
from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label
from orchestration.notify.actions import Action, Choice, Form

if TYPE_CHECKING:
    from metrics_catalog.monitoring.incidents import Incidents

_SNOOZE = timedelta(hours=24)


@contextmanager
def _incidents(project: Project) -> Iterator[Incidents]:
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.monitoring.incidents import Incidents
    from metrics_catalog.ops.store import open_store

    store = open_store(project.ops)
    try:
        yield Incidents(store, official_catalog(project), lambda: datetime.now(UTC))
    finally:
        store.dispose()


def _acknowledge(project: Project, actor: str, value: str, _choice: Choice) -> Label:
    with _incidents(project) as incidents:
        one = incidents.acknowledge(value, actor)
    return Label(en=f"You look after {one.name}.", zh=f"{one.name} 由你接手。")


def _assign(project: Project, actor: str, value: str, _choice: Choice) -> Label:
    with _incidents(project) as incidents:
        one = incidents.assign(value, actor, actor)
    return Label(en=f"{one.name} is with you now.", zh=f"{one.name} 现由你处理。")


def _resolve(project: Project, actor: str, value: str, choice: Choice) -> Label:
    with _incidents(project) as incidents:
        one = incidents.resolve(value, actor, choice.option, choice.text)
    return Label(en=f"{one.name} is resolved: {choice.option}.", zh=f"{one.name} 已处理完毕。")


def _snooze(project: Project, actor: str, value: str, _choice: Choice) -> Label:
    with _incidents(project) as incidents:
        one = incidents.snooze(value, actor, datetime.now(UTC) + _SNOOZE)
    return Label(en=f"{one.name} is silent for 24 hours.", zh=f"{one.name} 静默 24 小时。")


_REASONS = {name: Label(en=english.capitalize(), zh=chinese) for name, (chinese, english) in REASONS.items()}
ACTIONS = {
    "acknowledge": Action(_acknowledge),
    "assign": Action(_assign),
    "resolve": Action(_resolve, Form(Label(en="Resolve: what was it?", zh="处理完毕：原因是什么？"), _REASONS)),
    "snooze": Action(_snooze),
}
