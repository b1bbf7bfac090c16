"""What `conformare spool list` shows: a table for each destination, and a line for all."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from conformare.emission.spool import Destination
from conformare.emission.spool._inventory import Entry, Where
from conformare_schemas.printable import printable

MOST_LINES = 50
WIDTH_WITHOUT_TERMINAL = 200
"""A file or a pipe has no width: lines that another program reads are not to be broken."""

_WHERE: dict[Where, str] = {
    "held": "with a running process",
    "left": "left by an ended one",
    "rejected": "rejected",
}
_AGES = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def print_entries(out: Console, entries: Iterable[Entry], root: Path, now: datetime) -> None:
    """Print the oldest entries by destination, and how many there are in all.

    Args:
        out: Where to.
        entries: All of them; each is looked at once.
        root: The spool's folder.
        now: What ages are counted to.
    """
    totals = _Totals()
    shown = heapq.nsmallest(MOST_LINES, totals.counting(entries), key=_age_order)
    if not totals.entries:
        out.print(f"nothing waits in {printable(str(root))}")
        return
    groups: dict[Destination | None, list[Entry]] = defaultdict(list)
    for entry in shown:
        groups[entry.destination].append(entry)
    for destination, group in groups.items():
        _print_group(out, destination, group, now)
    if totals.entries > len(shown):
        out.print(f"these are the {len(shown)} oldest; --json prints all")
    out.print(totals.summary(now))


def as_json(entry: Entry, now: datetime) -> dict[str, Any]:
    """Return an entry as `--json` prints it."""
    destination = entry.destination
    return {
        "bootstrap_servers": destination.bootstrap_servers if destination else None,
        "topic_prefix": destination.topic_prefix if destination else None,
        "pipeline": entry.pipeline,
        "run_id": entry.run_id,
        "recorded_at": entry.recorded_at.isoformat(),
        "age_seconds": round((now - entry.recorded_at).total_seconds(), 3),
        "size_bytes": entry.size_bytes,
        "where": entry.where,
        "why": entry.why,
        "damage": entry.damage,
        "file": str(entry.file),
    }


class _Totals:
    """Counts entries while they pass by."""

    def __init__(self) -> None:
        self.entries = 0
        self._size_bytes = 0
        self._damaged = 0
        self._where: Counter[Where] = Counter()
        self._oldest: datetime | None = None

    def counting(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self.entries += 1
            self._size_bytes += entry.size_bytes
            self._damaged += entry.damage is not None
            self._where[entry.where] += 1
            self._oldest = min(self._oldest or entry.recorded_at, entry.recorded_at)
            yield entry

    def summary(self, now: datetime) -> str:
        age = f", the oldest for {_age(now - self._oldest)}" if self._oldest else ""
        parts = [f"{self._where[where]} {words}" for where, words in _WHERE.items()]
        damaged = f"; {self._damaged} damaged" if self._damaged else ""
        return (
            f"{self.entries} run(s) of {decimal(self._size_bytes)} wait{age}: "
            f"{', '.join(parts)}{damaged}"
        )


def _age_order(entry: Entry) -> tuple[datetime, str]:
    return entry.recorded_at, str(entry.file)


def _print_group(
    out: Console, destination: Destination | None, entries: Iterable[Entry], now: datetime
) -> None:
    title = "Destination unknown"
    if destination is not None:
        title = printable(f"{destination.bootstrap_servers}, topics {destination.topic_prefix}*")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("pipeline", "run_id"):
        table.add_column(heading, overflow="fold")
    for heading in ("recorded at (UTC)", "age", "size", "where", "why"):
        table.add_column(heading)
    # Most wait for the same cause, which is long: it is said once, below.
    causes: dict[str, int] = {}
    for entry in entries:
        why = entry.why
        if entry.damage is not None:
            why = f"{entry.file}: {entry.damage}"
        table.add_row(
            printable(entry.pipeline or ""),
            printable(entry.run_id or ""),
            f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}",
            _age(now - entry.recorded_at),
            decimal(entry.size_bytes),
            _WHERE[entry.where],
            f"({causes.setdefault(why, len(causes) + 1)})" if why else "",
        )
    width = out.width if out.is_terminal else WIDTH_WITHOUT_TERMINAL
    Console(file=out.file, width=width, highlight=False, markup=False, emoji=False).print(table)
    for why, number in causes.items():
        out.print(f"({number}) {printable(why)}")
    out.print()


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    unit, length = next((known for known in _AGES if seconds >= known[1]), _AGES[-1])
    return f"{seconds // length} {unit}"
