"""A running Marquez, what it is asked, and its Postgres."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import yaml

from conformare_sink.broker.ports import free_port
from conformare_sink.spark.java import find_java
from support.marquez.build import class_path

START_SECONDS = 120
USER = "marquez"
_LOOK_SECONDS = 0.2


class Marquez:
    """A server that answers.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, *parts: str, **query: str) -> Any:
        """Return an answer of its API.

        Args:
            parts: The path, part by part: names may hold slashes.
            query: What follows the question mark.
        """
        path = "/".join(quote(part, safe="") for part in parts)
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        with urlopen(f"{self.url}/api/v1/{path}?{asked}", timeout=60) as answer:  # noqa: S310 - ours
            return json.load(answer)


@contextmanager
def running_marquez(checkout: Path, folder: Path) -> Iterator[Marquez]:
    """Run a Marquez without any data, for the time of a block.

    Args:
        checkout: A checkout of its repository.
        folder: Takes its settings and its log.
    """
    classes = class_path(checkout)
    port, admin = free_port(), free_port()
    with _running_postgres() as database:
        settings = {
            "server": {
                "applicationConnectors": [_loopback(port)],
                "adminConnectors": [_loopback(admin)],
            },
            "db": {"driverClass": "org.postgresql.Driver", "url": database, "user": USER},
            "migrateOnStartup": True,
            "search": {"enabled": False},
        }
        file = folder / "marquez.yml"
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        command = [find_java(), "-Xmx768m", "-cp", classes, "marquez.MarquezApp", "server", file]
        with (
            (folder / "marquez.log").open("wb") as log,
            subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            ) as process,
        ):
            try:
                _wait_for(f"http://127.0.0.1:{admin}/healthcheck", process, folder / "marquez.log")
                yield Marquez(f"http://127.0.0.1:{port}")
            finally:
                process.terminate()


def _loopback(port: int) -> dict[str, Any]:
    return {"type": "http", "bindHost": "127.0.0.1", "port": port}


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with suppress(URLError, ConnectionError), urlopen(url, timeout=5):  # noqa: S310 - ours
            return
        assert process.poll() is None, f"Marquez ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < until, "Marquez does not answer"
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _running_postgres() -> Iterator[str]:
    """Run a Postgres, which refuses to be root; the block gets the URL of a database."""
    with tempfile.TemporaryDirectory(prefix="marquez-") as folder:
        shutil.chown(folder, _owner())
        port = free_port()
        at = ("-h", "127.0.0.1", "-p", str(port), "-U", USER)
        control = ("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w")
        listens = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
        _postgres(folder, "initdb", "-D", f"{folder}/data", "-U", USER, "-A", "trust", "--no-sync")
        _postgres(folder, *control, "-o", listens, "start")
        try:
            _postgres(folder, "createdb", *at, USER)
            yield f"jdbc:postgresql://127.0.0.1:{port}/{USER}"
        finally:
            _postgres(folder, *control, "-m", "fast", "stop")


def _owner() -> str:
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _postgres(folder: str, name: str, *arguments: str) -> None:
    """Call a program of Postgres, as its owner. What it starts keeps no pipe of ours open."""
    subprocess.run(
        [_program(name), *arguments],
        user=_owner() if os.geteuid() == 0 else None,
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _program(name: str) -> str:
    """Return a program of Postgres; Debian has them in no folder of PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"]]))
    assert found is not None, "Postgres is needed: apt-get install postgresql"
    return found
