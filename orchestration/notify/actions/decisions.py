"""What is done about a decision: say that its action was taken."""

from __future__ import annotations

from datetime import UTC, datetime

from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label
from orchestration.notify.actions import Action, Choice, Form


def _done(project: Project, actor: str, value: str, choice: Choice) -> Label:
    from metrics_catalog.decisions.desk import Decisions, number_of
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.ops.store import open_store

    store = open_store(project.ops)
    try:
        desk = Decisions(store, official_catalog(project), lambda: datetime.now(UTC))
        one = desk.done(number_of(value, "D") or 0, actor, choice.text.strip())
    finally:
        store.dispose()
    return Label(
        en=f"{one.name} is done; its effect is measured on {one.due}.",
        zh=f"{one.name} 已执行，将于 {one.due} 度量效果。",
    )


ACTIONS = {"decision_done": Action(_done, Form(Label(en="Done: anything to note?", zh="已执行：需要备注吗？")))}
