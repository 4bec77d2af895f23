"""Database servers of the tests: real ones, on loopback or a socket, gone afterwards."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg2
import pymysql
import pytest

if TYPE_CHECKING:
    from ..conftest import Room as Room  # noqa: TID252 the type of the `room` fixture, for the tests of this folder

PASSWORD = "p:ss/w@rd' %"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postgres_connection(postgres: str) -> Iterator[psycopg2.extensions.connection]:
    connection = psycopg2.connect(postgres)
    connection.autocommit = True
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def mysql() -> Iterator[str]:
    """URL of a MariaDB server started for the tests; its password needs every kind of quoting."""
    binary, install = shutil.which("mariadbd") or shutil.which("mysqld"), shutil.which("mariadb-install-db")
    if not binary or not install:
        pytest.skip("no MariaDB server on this machine")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="metrics-my-") as folder:
        data, where = f"--datadir={folder}/data", f"--socket={folder}/s"
        subprocess.run(
            [
                install,
                "--no-defaults",
                data,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--user=root",
            ],
            check=True,
            capture_output=True,
        )
        options = [
            data,
            where,
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--user=root",
            f"--pid-file={folder}/p",
        ]
        server = subprocess.Popen(
            [binary, "--no-defaults", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _prepare(f"{folder}/s")
            yield f"mysql://metrics:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/shop"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _prepare(path: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = pymysql.connect(unix_socket=path, user="root")
            break
        except pymysql.err.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER metrics@'127.0.0.1' IDENTIFIED BY %s", (PASSWORD,))
        cursor.execute("GRANT ALL ON shop.* TO metrics@'127.0.0.1'")


@pytest.fixture
def mysql_connection(mysql: str) -> Iterator[pymysql.connections.Connection]:
    connection = pymysql.connect(
        host="127.0.0.1",
        port=urlsplit(mysql).port or 0,
        user="metrics",
        password=PASSWORD,
        database="shop",
        autocommit=True,
        charset="utf8mb4",
    )
    yield connection
    connection.close()
