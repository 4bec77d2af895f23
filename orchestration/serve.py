"""`metrics up`: Dagster's webserver, daemon and one shared code server, as child processes that never outlive us."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import yaml

from orchestration.children import Server
from orchestration.faults import SYSTEM, USAGE, Failed
from orchestration.instance import configure
from orchestration.reload import Reload
from orchestration.settings import Settings

LOCATION = "metric_center"
HOST = "127.0.0.1"
START_SECONDS = 120


def serve(settings: Settings, tell: Callable[[str], None], stop: Event) -> None:
    """Run the servers until ``stop`` is set or one of them ends. Raises `Failed` for the latter, or a port in use."""
    if not _free(settings.port):
        raise Failed(f"port {settings.port} is in use; choose another with --port or METRICS_PORT", USAGE)
    if settings.slack_signing_secret is not None and not _free(settings.slack_port):
        raise Failed(f"port {settings.slack_port} is in use; choose another with METRICS_SLACK_PORT", USAGE)
    code_port = _any_free_port()
    project = settings.locate()
    environment = {**os.environ, **configure(settings), **_variables(settings)}
    workspace = project.dagster_home / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": _location(code_port)}]}), encoding="utf-8")
    reload = Reload(project, environment, tell)
    with _running() as start:
        code = start("code server", project.dagster_home, environment, _code_server(code_port))
        _await(lambda: not _free(code_port), [code], stop)
        web = ["dagster_webserver", "-h", HOST, "-p", str(settings.port), "-w", str(workspace)]
        servers = [
            code,
            start("webserver", project.dagster_home, environment, web),
            start("daemon", project.dagster_home, environment, ["dagster._daemon", "run", "-w", str(workspace)]),
        ]
        if listens(settings):
            servers.append(start("Slack listener", project.dagster_home, environment, ["orchestration.notify.listen"]))
        url = f"http://{HOST}:{settings.port}"
        _await(lambda: _answers(f"{url}/server_info"), servers, stop)
        if not stop.is_set():
            tell(f"Dagster   {url}")
            tell(f"Assets    {url}/asset-groups")
            if listens(settings) and settings.slack_signing_secret is not None:
                tell(f"Slack     http://{HOST}:{settings.slack_port}/slack (interactivity request URL, behind TLS)")
            tell(f"Logs      {project.dagster_home}/*.log")
            tell("Ctrl-C stops everything.")
        while not stop.wait(0.5):
            _all_alive(servers)
            reload.when_due(url, LOCATION, stop)


def listens(settings: Settings) -> bool:
    """Whether there is anything to hear from Slack: its token, and one of the two ways it tells what was pressed."""
    ways = (settings.slack_signing_secret, settings.slack_app_token)
    return settings.slack_token is not None and any(one is not None for one in ways)


def _variables(settings: Settings) -> dict[str, str]:
    """Settings the child processes must see as this process does, however they were given."""
    project = settings.locate()
    given = {
        "METRICS_PROJECT": str(project.root),
        "METRICS_STATE": str(project.state),
        "METRICS_PUBLISHED": str(project.published),
        "METRICS_DAGSTER_POSTGRES_URL": settings.dagster_postgres_url or "",
        "METRICS_OPS_URL": settings.ops_url or "",
        "METRICS_USER": settings.user or "",
    }
    return {name: value for name, value in given.items() if value}


def _location(port: int) -> dict[str, object]:
    return {"host": HOST, "port": port, "location_name": LOCATION}


def _code_server(port: int) -> list[str]:
    # A proxy: asked to reload, it starts a fresh server behind itself and lets the old one finish its runs. A project
    # that does not load is explained in the UI.
    where = ["-m", "orchestration.definitions", "-h", HOST, "-p", str(port), "--location-name", LOCATION]
    return ["dagster", "code-server", "start", *where, "--use-python-environment-entry-point"]


@contextmanager
def _running() -> Iterator[Callable[[str, Path, Mapping[str, str], list[str]], Server]]:
    servers: list[Server] = []

    def start(name: str, home: Path, environment: Mapping[str, str], module: list[str]) -> Server:
        server = Server(name, [sys.executable, "-m", *module], home / f"{name.replace(' ', '_')}.log")
        servers.append(server)
        server.start(environment)
        return server

    try:
        yield start
    finally:
        for server in reversed(servers):
            server.stop()


def _await(ready: Callable[[], bool], servers: list[Server], stop: Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        _all_alive(servers)
        if time.monotonic() > deadline:
            raise Failed(f"the {servers[-1].name} did not start in {START_SECONDS} s; see {servers[-1].log}", SYSTEM)
        if stop.wait(0.2):
            return


def _all_alive(servers: list[Server]) -> None:
    for server in servers:
        code = None if server.process is None else server.process.poll()
        if code is not None:
            tail = "\n".join(server.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            raise Failed(f"the {server.name} ended with code {code}; see {server.log}\n{tail}", SYSTEM)


def _free(port: int) -> bool:
    """Whether nobody listens there; gRPC would otherwise quietly share the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 our own server on loopback
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
