"""What would be recorded now, as a tree for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from conformare.capture._lineage import Event, Snapshot
from conformare.capture._store import Store, store
from conformare.capture.locations import shown_name
from conformare.record._build import STEP_KINDS, to_run_record

OUTSIDE = "(outside every context)"
_PIPELINE = "(not recorded yet)"
_MOST_PARENTS = 4


@dataclass
class _Branch:
    text: str
    children: list[_Branch] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield self.text
        for child in self.children:
            last = child is self.children[-1]
            first, others = ("└─ ", "   ") if last else ("├─ ", "│  ")
            lines = child.lines()
            yield first + next(lines)
            yield from (others + line for line in lines)


def describe_run(captured: Store = store, *, file: TextIO | None = None) -> None:
    """Print as a tree what `record_run` would record now, without recording it.

    It asks Spark for schemas that are not known yet, but runs no job.

    Args:
        captured: What was captured.
        file: Where to print; standard output unless given.
    """
    record = to_run_record(captured, _PIPELINE)
    tree = _run(record, captured.snapshot())
    print("\n".join(tree.lines()), file=file or sys.stdout)


def _run(record: dict[str, list[dict[str, Any]]], content: Snapshot) -> _Branch:
    (run,) = record["runs"]
    counts = f"{_count(run['n_operations'], 'step')}, {_count(run['n_columns'], 'column')}"
    if run["sensitive_columns"]:
        counts += f", {run['sensitive_columns']} sensitive"
    sections = [
        _section("sources", (_place(row, row["reader"]) for row in record["sources"])),
        _section("contexts", _contexts(record, content)),
        _section("sinks", (_place(row, row["writer"]) for row in record["sinks"])),
        _section("expectations", (_expectation(row) for row in record["expectations"])),
        _section("risks", (_risk(row) for row in record["risks"])),
        _section("owners", (_owner(row) for row in record["owners"])),
    ]
    return _Branch(f"{run['status']}: {counts}", [branch for branch in sections if branch.children])


def _section(name: str, branches: Iterable[_Branch]) -> _Branch:
    children = list(branches)
    return _Branch(f"{name} ({len(children)})", children)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _place(row: dict[str, Any], interface: str) -> _Branch:
    sensitive = row.get("n_sensitive")
    columns = _count(len(row["columns"]), "column") + (
        f", {sensitive} sensitive" if sensitive else ""
    )
    return _Branch(f"{row['node']}: {row['location']} ({row['format']}, {interface}), {columns}")


def _contexts(record: dict[str, list[dict[str, Any]]], content: Snapshot) -> Iterator[_Branch]:
    """Yield the contexts with their steps, then what stands outside."""
    steps = [event for event in content.events if event.kind in STEP_KINDS]
    for row, group in zip(record["contexts"], content.groups, strict=False):
        text = f"{row['context_label']} (implementation {row['impl_hash']})"
        said = [f"purpose: {row['purpose']}"] if row["purpose"] else []
        said += [f"owner: {row['definition_owner']}"] if row["definition_owner"] else []
        said += [f"risks: {', '.join(row['risk_ids'])}"] if row["risk_ids"] else []
        members = [event for event in steps if event.group is group]
        yield _Branch(text, [*map(_Branch, said), *_steps(members, content)])
    outside = [event for event in steps if event.group is None]
    if outside:
        yield _Branch(OUTSIDE, list(_steps(outside, content)))


def _steps(events: Iterable[Event], content: Snapshot) -> Iterator[_Branch]:
    def label(number: int) -> str:
        return shown_name(content.nodes[number - 1].label)

    for event in events:
        parents = [label(number) for number in event.parents[:_MOST_PARENTS]]
        more = ["…"] if len(event.parents) > _MOST_PARENTS else []
        made_from = ", ".join([*parents, *more]) or "nothing"
        yield _Branch(f"{event.op}: {made_from} → {label(event.child)}")


def _expectation(row: dict[str, Any]) -> _Branch:
    outcome = {True: "holds", False: "fails", None: "not evaluated"}[row["success"]]
    hard = ", hard" if row["hard"] else ""
    column = f" on {row['column']}" if row["column"] else ""
    reason = f": {row['error']}" if row["error"] else ""
    return _Branch(f"{row['expectation']}{column} of {row['node']}: {outcome}{hard}{reason}")


def _risk(row: dict[str, Any]) -> _Branch:
    state = "mitigated" if row["mitigated"] else "open"
    owners = f", owned by {', '.join(row['owners'])}" if row["owners"] else ""
    return _Branch(f"{row['risk_id']} ({row['severity']}, {state}{owners})")


def _owner(row: dict[str, Any]) -> _Branch:
    return _Branch(f"{row['owner']}: {row['role']} of {row['ref']}")
