"""An independent look at a lake: read by delta-rs, compared with the records that were produced.

It shares nothing with the sink but the names of the tables.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timezone
from pathlib import Path
from typing import Any

from support.lakes.view import LakeView, viewed
from support.messages.records import Record

RunKey = tuple[str, str]
"""Pipeline and run_id."""

Place = tuple[str, int, int]
"""Topic, partition and offset of a message."""

KeyAndValue = tuple[bytes | None, bytes | None]

Lake = str | Path | LakeView
"""A lake in a folder of this machine, or wherever it is seen."""

_Rows = Mapping[str, Sequence[dict[str, Any]]]


def read_table(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Return the rows of a Delta table, in no order."""
    return viewed(lake).rows(table)


def _comparable(row: dict[str, Any]) -> str:
    """Return a row as text: without its emission, times as the record writes them."""
    plain = {name: value for name, value in row.items() if name != "emission_id"}
    if not isinstance(plain["ts"], str):
        utc = plain["ts"].astimezone(timezone.utc)
        plain["ts"] = utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(plain.get("tags"), list):
        plain["tags"] = dict(plain["tags"])
    return json.dumps(plain, sort_keys=True, ensure_ascii=False)


class _Faults:
    """Faults by kind: a dataclass of lists."""

    @property
    def is_sound(self) -> bool:
        """Whether all of them are empty."""
        return not any(getattr(self, fault.name) for fault in fields(self))  # type: ignore[arg-type]  # those who inherit are dataclasses


@dataclass(frozen=True)
class Verdict(_Faults):
    """What is wrong with a lake; empty everywhere for a sound one.

    Attributes:
        lost: Runs without a row in `runs`.
        duplicated: Runs with more than one row there, or with rows that are there again.
        mixed: Runs with rows of more than one emission, or of no record of theirs.
        partial: Runs that are in `runs` while some of their rows are missing.
        foreign: Runs with rows of which no whole emission was produced.
    """

    lost: list[RunKey] = field(default_factory=list)
    duplicated: list[RunKey] = field(default_factory=list)
    mixed: list[RunKey] = field(default_factory=list)
    partial: list[RunKey] = field(default_factory=list)
    foreign: list[RunKey] = field(default_factory=list)


def check(lake: Lake, produced: Iterable[Record]) -> Verdict:
    """Compare a lake with everything that was produced, conflicting records of one run included.

    A run must be there once, with exactly the rows of one of its records in every table, all of
    one emission.
    """
    candidates: dict[RunKey, list[Record]] = defaultdict(list)
    for record in produced:
        run = record["runs"][0]
        candidates[(run["pipeline"], run["run_id"])].append(record)
    grains = list(next(iter(candidates.values()))[0])
    found: dict[str, dict[RunKey, list[dict[str, Any]]]] = {}
    for grain in grains:
        found[grain] = defaultdict(list)
        for row in read_table(lake, grain):
            found[grain][(row["pipeline"], row["run_id"])].append(row)
    everything = {key for rows in found.values() for key in rows}
    verdict = Verdict(foreign=sorted(everything - set(candidates)))
    for key, records in candidates.items():
        fault = _fault({grain: found[grain].get(key, []) for grain in grains}, records)
        if fault is not None:
            getattr(verdict, fault).append(key)
    return verdict


def _fault(rows: _Rows, records: Iterable[Record]) -> str | None:
    """Return what is wrong with the rows of a run, as a field of `Verdict`; None for nothing."""
    if len(rows["runs"]) != 1:
        return "duplicated" if rows["runs"] else "lost"
    if len({row["emission_id"] for of_grain in rows.values() for row in of_grain}) != 1:
        return "mixed"
    present = _counted(rows)
    differences = {_difference(present, _counted(record)) for record in records}
    # Of two records, it is the one that the rows resemble.
    return next(one for one in (None, "partial", "duplicated", "mixed") if one in differences)


def _counted(rows: _Rows) -> dict[str, Counter[str]]:
    return {grain: Counter(map(_comparable, of_grain)) for grain, of_grain in rows.items()}


def _difference(
    present: Mapping[str, Counter[str]], expected: Mapping[str, Counter[str]]
) -> str | None:
    if present == expected:
        return None
    if any(set(present[grain]) - set(expected[grain]) for grain in expected):
        return "mixed"
    missing = any(expected[grain] - present[grain] for grain in expected)
    return "partial" if missing else "duplicated"


@dataclass(frozen=True)
class DeclarationsVerdict(_Faults):
    """What is wrong with the declarations in a lake; empty everywhere for sound ones.

    Attributes:
        lost: Declarations that are not there with exactly their rows.
        foreign: Rows of emissions that are no declaration, or of one that is there too often.
    """

    lost: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def check_declarations(lake: Lake, produced: Iterable[Record]) -> DeclarationsVerdict:
    """Compare a lake with everything that was declared: each declaration is there once.

    Args:
        lake: The lake.
        produced: The records, one for each call, those in the same words too.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_table(lake, "source_risks"):
        rows[row["emission_id"]].append(row)
    found = Counter(map(_declared, rows.values()))
    expected = Counter(_declared(record["source_risks"]) for record in produced)
    return DeclarationsVerdict(
        lost=sorted((expected - found).elements()), foreign=sorted((found - expected).elements())
    )


def _declared(rows: Iterable[dict[str, Any]]) -> str:
    return "\n".join(sorted(map(_comparable, rows)))


@dataclass(frozen=True)
class QuarantineVerdict(_Faults):
    """What is wrong with a lake's quarantine; empty everywhere for a sound one.

    Attributes:
        missing: Unusable messages that are not in it.
        repeated: Messages that are in it more than once.
        altered: Unusable messages that are in it with another key or other bytes.
        usable: Messages in it that were good.
    """

    missing: list[Place] = field(default_factory=list)
    repeated: list[Place] = field(default_factory=list)
    altered: list[Place] = field(default_factory=list)
    usable: list[Place] = field(default_factory=list)


def check_quarantine(lake: Lake, unusable: Mapping[Place, KeyAndValue]) -> QuarantineVerdict:
    """Compare a lake's quarantine with the unusable messages that are on the topics.

    Args:
        lake: The lake.
        unusable: Every message that cannot be used, by its place.
    """
    times: Counter[Place] = Counter()
    found: dict[Place, KeyAndValue] = {}
    for row in read_table(lake, "quarantine"):
        place = (row["topic"], row["partition"], row["offset"])
        times[place] += 1
        found[place] = (row["key"], row["value"])
    return QuarantineVerdict(
        missing=sorted(set(unusable) - set(found)),
        repeated=sorted(place for place, number in times.items() if number > 1),
        altered=sorted(
            place for place in unusable if found.get(place) not in (unusable[place], None)
        ),
        usable=sorted(set(found) - set(unusable)),
    )


def waiting_runs(lake: Lake) -> set[RunKey]:
    """Return the runs of which a lake keeps messages because their emission is not whole."""
    kept = {(row["pipeline"], row["run_id"]) for row in read_table(lake, "pending")}
    return kept - {(row["pipeline"], row["run_id"]) for row in read_table(lake, "runs")}
