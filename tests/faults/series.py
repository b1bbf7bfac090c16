"""A series: one workload, one lake, what happens to its sinks, and then the comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conformare_sink.options import Engine
from faults.incidents import ALL, RUNS_OF, Incidents
from faults.lives import Lives
from faults.result import Result
from faults.scene import Scene
from faults.stage import PATIENT, Stage, Store


@dataclass(frozen=True)
class SeriesOptions:
    """What a series is made of.

    Attributes:
        seed: What everything is drawn from that is not up to the machine.
        runs: How many run_ids.
        kills: How many sinks are killed.
        store: Runs the object store that the lake is in; None for a lake on the disk.
        program: The command line of `conformare`.
        incidents: How many of the incidents happen at most, in their order.
        engine: Who processes the sinks' batches.
    """

    seed: int
    runs: int
    kills: int
    store: Store | None = None
    program: tuple[str, ...] = PATIENT
    incidents: int = ALL
    engine: Engine = Engine.AUTO


def run_series(options: SeriesOptions, folder: Path, on_kill: Callable[[str], None]) -> Result:
    """Let runs flow, let things happen, kill, and compare.

    Args:
        options: What the series is made of.
        folder: An empty folder; the lake and all logs stay there.
        on_kill: Called after every kill with what the sink was doing.
    """
    start = time.monotonic()
    stage = Stage(folder, options.store, options.program, options.engine)
    try:
        stage.open()
        parts = options.kills + RUNS_OF * options.incidents
        scene = Scene(stage, options.seed, options.runs, parts)
        scene.begin()
        Incidents(scene).run(options.incidents)
        Lives(scene, on_kill).run(options.kills)
        scene.end()
    finally:
        stage.close()
    scene.result.seconds = time.monotonic() - start
    return scene.result
