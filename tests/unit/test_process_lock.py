"""Locks in a process and in its children."""

from __future__ import annotations

import subprocess
import sys

FORKED_WHILE_HELD = """
import os, threading
import conformare as cf

held, go_on = threading.Event(), threading.Event()

def hold():
    # As long as Spark takes to tell the columns of a frame.
    with cf.store._lock:
        held.set()
        go_on.wait()

threading.Thread(target=hold).start()
held.wait()
cf.configure_store(writer="none")
child = os.fork()
if child == 0:
    with cf.describe("in the child"):
        pass
    cf.record_run("p")
    os._exit(len(cf.store.groups))
_, status = os.waitpid(child, 0)
go_on.set()
with cf.store._lock:
    print(os.waitstatus_to_exitcode(status))
"""


def test_a_forked_child_finds_every_lock_free() -> None:
    """It would wait for a thread that only its parent has; the parent's lock goes on to work."""
    ended = subprocess.run(
        [sys.executable, "-c", FORKED_WHILE_HELD],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.strip() == "1"
