"""The same capture makes the same bytes in every process, whatever order its sets have."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import json
from conformare.capture import describe, describe_process, risk, store
from conformare.record import to_run_record

class Frame:
    def __init__(self, *columns):
        self.columns = columns

frames = [Frame("email", "ssn", f"c{number}") for number in range(9)]
describe_process(risks=["p2", "p1"])
for number, frame in enumerate(frames):
    store.add_source(frame, location=f"/{number}", format="csv", reader="r", label=f"s{number}")
with describe("d", risks=["r3", "r1", risk("r2", owner="o2", mitigation="m")]), risk("r0", owner="o1"):
    for left, right in zip(frames, frames[1:]):
        child = Frame("email", "ip")
        store.add_step("join", [left, right], child, logic={"b": 1, "a": [2]})
        store.add_sink(child, location="/out", format="csv", writer="spark", label="out", op="csv")
print(json.dumps(to_run_record(store, "p", run_id="r", ts="2026-01-01", tags={"b": 1, "a": 2})))
"""


def output(seed: int) -> str:
    """Return what the script prints under a seed of the hashes."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_record_does_not_depend_on_the_process() -> None:
    first, *others = (output(seed) for seed in (0, 1, 2))
    assert len(first) > 10_000
    assert others == [first] * 2
