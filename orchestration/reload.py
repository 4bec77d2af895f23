"""Loading the project again while it is served, when its files changed or something was approved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from threading import Event

from metrics_catalog.ops.store import OpsUnavailable
from metrics_catalog.project import Project
from orchestration.children import tied_to
from orchestration.faults import SYSTEM
from orchestration.watch import source_of

LOOK_SECONDS = 5
ANSWER_SECONDS = 120


class Reload:
    """Has a code server load the project again. Made before the server starts, so that no change is missed.

    What does not load is said and leaves what is loaded running; it is tried again when it changed.
    """

    def __init__(self, project: Project, environment: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._project, self._environment, self._tell = project, environment, tell
        self._loaded, self._due = self._source(), time.monotonic() + LOOK_SECONDS

    def when_due(self, url: str, location: str, stop: Event) -> None:
        """Look, every few seconds. ``url``: of the webserver that knows the code location."""
        if time.monotonic() < self._due:
            return
        now = self._source()
        if now not in ("", self._loaded) and (ended := self._rehearsed(stop)) is not None:
            code, said = ended
            if code == 0 and _ask_to_reload(url, location):
                self._tell("loaded the project again")
                self._loaded = now
            elif code not in (0, SYSTEM):
                self._tell(f"the project as it is now does not load; what was loaded before stays\n{said}")
                self._loaded = now
        self._due = time.monotonic() + LOOK_SECONDS

    def _source(self) -> str:
        """What the definitions are made from; nothing while the ops store cannot say."""
        try:
            return source_of(self._project)
        except OpsUnavailable:
            return ""

    def _rehearsed(self, stop: Event) -> tuple[int, str] | None:
        """How loading it in a process of its own ends; None when there is no time left to know."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.watch"],
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=tied_to(os.getpid()),
        )
        while not stop.is_set():
            try:
                said = process.communicate(timeout=0.5)[1]
                return process.returncode, said.strip()
            except subprocess.TimeoutExpired:
                continue
        process.kill()
        process.communicate()
        return None


def _ask_to_reload(url: str, location: str) -> bool:
    query = f'mutation {{ reloadRepositoryLocation(repositoryLocationName: "{location}") {{ __typename }} }}'
    body, kind = json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/graphql", body, kind)  # noqa: S310 our own server on loopback
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return answer.status == 200
    except OSError:
        return False
