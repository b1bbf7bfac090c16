"""Lands a run by a sink that a test has started as those do who deploy it, and asks its pages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

_SECONDS = 240.0
_FLUSH_SECONDS = 60.0
_RUN_ID = "run-of-a-deployment"
_JOB = f"""
import conformare as cf
cf.configure_store(writer="kafka")
cf.record_run(pipeline="deployment", run_id="{_RUN_ID}")
cf.flush({_FLUSH_SECONDS})
"""


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for what a process does, which writes to a log.

    Raises:
        AssertionError: It ended, or did not do so in time.
    """
    deadline = time.monotonic() + _SECONDS
    pause = Event()
    while not condition():
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        pause.wait(0.2)


def ask(port: int, path: str) -> int:
    """Return how the sink answers on this machine; 0 where it does not."""
    try:
        opener = build_opener(ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except HTTPError as exc:
        with exc:
            return exc.code
    except URLError:
        return 0


def emit_run(servers: str, topic_prefix: str, spool: Path) -> None:
    """Emit the run, from a process of its own."""
    settings = {
        "CONFORMARE_BOOTSTRAP_SERVERS": servers,
        "CONFORMARE_TOPIC_PREFIX": topic_prefix,
        "CONFORMARE_SPOOL_DIR": str(spool),
    }
    subprocess.run([sys.executable, "-c", _JOB], env={**os.environ, **settings}, check=True)


def has_landed(table: str, options: Mapping[str, str]) -> bool:
    """Whether the run is in a table `runs`."""
    try:
        runs = DeltaTable(table, storage_options=dict(options))
    except TableNotFoundError:
        return False
    return _RUN_ID in runs.to_pyarrow_table(columns=["run_id"])["run_id"].to_pylist()
