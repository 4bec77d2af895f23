"""What people press in Slack, from payload to what is to be done and answered. Pure but for the action itself.

Who pressed is found by their Slack id in people.yml; whoever is not there may do nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metrics_catalog.project import Project
from metrics_catalog.spec.base import Label
from metrics_catalog.spec.people import People
from orchestration.notify.actions import Action, Choice, Form

CALLBACK = "metric_center"  # of our forms
_TEXT_MOST, _VALUE_MOST = 2000, 75
_STRANGER = Label(
    en="You are not in people.yml with your Slack id {}, so nothing was done. Ask an admin to add you.",
    zh="people.yml 中没有你的 Slack 账号 {}，未做任何操作。请联系管理员添加。",
)
_FIELDS = {
    "option": Label(en="Reason", zh="原因"),
    "text": Label(en="Note", zh="说明"),
    "submit": Label(en="Send", zh="提交"),
    "cancel": Label(en="Cancel", zh="取消"),
}


@dataclass(frozen=True)
class Pressed:
    """One thing somebody asked for. ``trigger`` lets us open a form; at ``answer_url`` only they read the answer."""

    user: str
    action: str
    value: str
    trigger: str = ""
    answer_url: str = ""
    choice: Choice | None = None


@dataclass(frozen=True)
class Say:
    """An answer only the person sees."""

    text: str
    answer_url: str
    user: str = ""


@dataclass(frozen=True)
class Ask:
    """A form to open."""

    view: dict[str, Any]
    trigger: str


def read(payload: Mapping[str, Any]) -> list[Pressed]:
    """What a payload of Slack asks for; empty for what is not ours. Raises `ValueError` for what makes no sense."""
    try:
        user = str(payload["user"]["id"])
        if payload["type"] == "view_submission" and payload["view"]["callback_id"] == CALLBACK:
            return [_submitted(user, payload["view"])]
        if payload["type"] != "block_actions":
            return []
        trigger, answer_url = str(payload.get("trigger_id", "")), str(payload.get("response_url", ""))
        buttons = [one for one in payload["actions"] if one.get("type") == "button" and "value" in one]
        pressed = [(one["action_id"].partition(":")[0], str(one["value"])) for one in buttons]
        return [Pressed(user, action, value, trigger, answer_url) for action, value in pressed]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a payload of Slack: {error!r}") from None


def respond(pressed: Pressed, known: Mapping[str, Action], people: People, project: Project) -> Say | Ask | None:
    """Do it, or ask first; None for a button that is not ours. Never raises: what goes wrong is the answer."""
    action = known.get(pressed.action)
    if action is None:
        return None
    actor = person_of(people, pressed.user)
    if actor is None:
        said = f"{_STRANGER.en.format(pressed.user)}\n{_STRANGER.zh.format(pressed.user)}"
        return Say(said, pressed.answer_url, pressed.user)
    language = people.people[actor].language
    if action.form is not None and pressed.choice is None:
        return Ask(form_view(action.form, pressed, language), pressed.trigger)
    return Say(_done(action, project, actor, pressed, language), pressed.answer_url, pressed.user)


def person_of(people: People, slack: str) -> str | None:
    """The person with a Slack id."""
    found = [name for name, one in people.people.items() if one.channels.get("slack") == slack]
    return found[0] if len(found) == 1 else None


def form_view(form: Form, pressed: Pressed, language: str) -> dict[str, Any]:
    """A form as a modal; what it is about travels within it."""
    about = {"action": pressed.action, "value": pressed.value, "answer_url": pressed.answer_url}
    blocks = []
    if form.options:
        options = [
            {"text": _plain(label.to(language)), "value": value[:_VALUE_MOST]} for value, label in form.options.items()
        ]
        select = {"type": "static_select", "action_id": "option", "options": options}
        blocks.append({"type": "input", "block_id": "option", "label": _label("option", language), "element": select})
    entry = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": _TEXT_MOST}
    text = {"type": "input", "block_id": "text", "label": _label("text", language), "element": entry}
    blocks.append({**text, "optional": not form.needs_text})
    buttons = {"submit": _label("submit", language), "close": _label("cancel", language)}
    shown = {"title": _plain(form.title.to(language)[:24]), "blocks": blocks, **buttons}
    return {"type": "modal", "callback_id": CALLBACK, "private_metadata": json.dumps(about), **shown}


def _submitted(user: str, view: Mapping[str, Any]) -> Pressed:
    about = json.loads(view["private_metadata"])
    filled = view["state"]["values"]
    option = (filled.get("option", {}).get("option", {}).get("selected_option") or {}).get("value", "")
    text = filled.get("text", {}).get("text", {}).get("value") or ""
    choice = Choice(option, text[:_TEXT_MOST])
    return Pressed(user, about["action"], about["value"], answer_url=about["answer_url"], choice=choice)


def _done(action: Action, project: Project, actor: str, pressed: Pressed, language: str) -> str:
    from orchestration.faults import message

    try:
        return action.run(project, actor, pressed.value, pressed.choice or Choice()).to(language)
    except Exception as error:
        failed = {"en": "Nothing was done", "zh": "未做任何操作"}[language]
        return f"{failed}: {message(error)}"


def _label(name: str, language: str) -> dict[str, Any]:
    return _plain(_FIELDS[name].to(language))


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
