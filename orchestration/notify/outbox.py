"""The outbox of a project: emptied by whoever passes by, within a time, and never at the cost of what they came for.

Light to import: most runs have nothing to tell and no ops store to look into.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from metrics_catalog.project import Project
from orchestration.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from orchestration.notify.drain import Drained

RUN_SECONDS = 15.0  # how long `metrics run` stays for it at most
_NEWS_SECONDS = 10.0
_TELLINGS = 3  # who is told that somebody cannot be reached may be out of reach as well
_NOTE = "requests_told"  # in the state folder: the ledger's entry up to which requests were told; lost, they are again
Tell = Callable[[str], None]


def store_of(project: Project) -> Engine | None:
    """The project's ops store; None while there is none, so that nothing waits. Raises `OpsUnavailable`."""
    from metrics_catalog.governance.begun import has_store

    if not has_store(project):
        return None
    from metrics_catalog.ops.store import open_store

    return open_store(project.ops)


def waits(project: Project, now: datetime) -> bool:
    """Whether there is anything to send now. Raises `OpsUnavailable`."""
    engine = store_of(project)
    if engine is None:
        return False
    from metrics_catalog.ops import claims

    try:
        return bool(claims.due_channels(engine, now))
    finally:
        engine.dispose()


def ask(project: Project) -> None:
    """Put in letters about requests when the ledger went on since they were last.

    Raises `OpsUnavailable`, `Damaged`, `InvalidFiles`.
    """
    engine = store_of(project)
    if engine is None:
        return
    try:
        from orchestration.notify.requests import newest, put_letters

        noted = project.state / _NOTE
        now = str(newest(engine))
        if now != (noted.read_text(encoding="utf-8") if noted.exists() else "0"):
            put_letters(project, engine)
            noted.write_text(now, encoding="utf-8")
    finally:
        engine.dispose()


def drain(settings: Settings, seconds: float, tell: Tell, stop: Event | None = None) -> Drained | None:
    """Send what waits; a channel or an address that fails becomes an incident, or its end. ``tell``: the console.

    None: there is nothing. Raises `OpsUnavailable`.
    """
    project = settings.locate()
    engine = store_of(project)
    if engine is None:
        return None
    from metrics_catalog.ops import claims

    try:
        if not claims.pending_channels(engine):
            return None
        from orchestration.notify.channels import reached
        from orchestration.notify.drain import Drain

        sending = Drain(engine, reached(settings, tell))
        done = sending.run(seconds, stop)
        for _ in range(_TELLINGS):
            if not _watch(project, engine, tell):
                break
            done.add(sending.run(min(seconds, _NEWS_SECONDS), stop))  # that a channel is down must not wait
        return done
    finally:
        engine.dispose()


def drain_quietly(settings: Settings, tell: Tell) -> None:
    """At the end of a run: send for a while; what goes wrong is said and fails nothing."""
    try:
        ask(settings.locate())
        done = drain(settings, RUN_SECONDS, tell)
    except Exception as error:
        tell(f"the outbox was not emptied: {error}")
        return
    for channel, error in done.errors.items() if done else ():
        tell(f"not everything could be sent by {channel}: {error}")


def _watch(project: Project, engine: Engine, tell: Tell) -> bool:
    """Tell of channels that went down or came back, and of letters that were given up; whether there were any.

    Noted afterwards: who dies in between has it told again.
    """
    from metrics_catalog.ops import channel_health
    from orchestration.notify.watching import undelivered, watched

    ways = list(channel_health.untold(engine))
    for way in ways:
        try:
            watched(project, engine, way)
        except Exception as error:  # files at fault; it is told once they are mended
            tell(f"{way.name} does not work ({way.error}), and that could not be told: {error}")
            continue
        channel_health.told(engine, way)
    try:
        return undelivered(project, engine) or bool(ways)
    except Exception as error:
        tell(f"that letters were given up could not be told: {error}")
        return bool(ways)
