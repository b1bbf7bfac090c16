"""The export: the runs of a store that were not sent yet, oldest first, portion by portion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar

from conformare.fleet.stores import FleetStore, Row, RunKey
from conformare.openlineage._events import Naming, RunEvents, openlineage_run_id, run_events
from conformare.openlineage._sent import Sent
from conformare.openlineage.targets import Target
from conformare_schemas import RUN_GRAINS

PORTION = 200
"""Of so many runs the rows are read at once, and their events are in memory."""

LOOK_UP = 1_000
"""So many runs are looked up at once."""

T = TypeVar("T")


@dataclass
class Exported:
    """What became of an export.

    Attributes:
        runs: How many runs were sent.
        refused: What the receiver refuses, run by run; the next export tries them again.
    """

    runs: int = 0
    refused: list[str] = field(default_factory=list)


def export_runs(
    store: FleetStore,
    sent: Sent,
    target: Target,
    naming: Naming,
    *,
    since: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Send the runs of a store that were not sent yet.

    Whatever ends it, the next export goes on where it has ended. A run that was sent and could not
    be taken note of is sent again, as the same run.

    Args:
        store: Where the runs are.
        sent: Which of them were sent.
        target: Where to send them.
        naming: What to call jobs, and the tables of catalogs.
        since: Not runs that took place before.
        progress: Called with the number of runs sent so far, after each portion.

    Raises:
        FleetError: The store cannot be read.
        TargetError: The receiver takes no events.
        CursorError: What was sent cannot be taken note of.
    """
    exported = Exported()
    for keys in _portions(_unsent(store, sent, since), PORTION):
        done: list[RunEvents] = []
        try:
            for run, refusal in target.send(_events(store, keys, naming)):
                if refusal is None:
                    done.append(run)
                else:
                    exported.refused.append(f"{run.label}: {refusal}")
        finally:
            sent.add(run.run for run in done)
            exported.runs += len(done)
        if progress is not None:
            progress(exported.runs)
    return exported


def _unsent(store: FleetStore, sent: Sent, since: datetime | None) -> Iterator[RunKey]:
    for keys in _portions(store.run_keys(since), LOOK_UP):
        ids = {openlineage_run_id(*key): key for key in keys}
        known = sent.among(ids)
        yield from (key for run, key in ids.items() if run not in known)


def _events(store: FleetStore, keys: Sequence[RunKey], naming: Naming) -> list[RunEvents]:
    rows: Mapping[RunKey, dict[str, list[Row]]] = defaultdict(
        lambda: {grain: [] for grain in RUN_GRAINS}
    )
    for grain in RUN_GRAINS:
        for row in store.rows_of(grain, keys):
            rows[RunKey(row["pipeline"], row["run_id"])][grain].append(row)
    # One that was purged meanwhile has no row any more.
    return [run_events(rows[key], naming) for key in keys if rows[key]["runs"]]


def _portions(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(items)
    while portion := list(islice(waiting, size)):
        yield portion
