"""What a button does, by its name: one module per subject, each with its ``ACTIONS``. Knows no channel.

Adding an action means adding it to a module's ``ACTIONS`` here, or a module; `actions` finds it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label


@dataclass(frozen=True)
class Choice:
    """What somebody filled in: one of the form's options, and words of their own."""

    option: str = ""
    text: str = ""


@dataclass(frozen=True)
class Form:
    """What is asked before it is done. ``options``: value -> label; ``needs_text``: words are required."""

    title: Label
    options: Mapping[str, Label] = field(default_factory=dict)
    needs_text: bool = False


# project, actor (a name of people.yml), value of the button, what was filled in -> what to answer the person.
# Raises what `orchestration.faults` knows to say; `Refused` for what is not allowed.
Run = Callable[[Project, str, str, Choice], Label]


@dataclass(frozen=True)
class Action:
    """Something people may do by a button; ``form``: asked first."""

    run: Run
    form: Form | None = None


def actions() -> dict[str, Action]:
    """Every action by its name."""
    found: dict[str, Action] = {}
    for module in iter_modules(__path__):
        found |= import_module(f"{__name__}.{module.name}").ACTIONS
    return found
