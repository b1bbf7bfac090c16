"""An independent look at a lake: read by delta-rs, compared with the records that were produced.

It shares nothing with the sink but the names of the tables.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from support.records import Record

RunKey = tuple[str, str]


def read_table(lake: str | Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a Delta table, in no order."""
    rows: list[dict[str, Any]] = DeltaTable(str(Path(lake) / table)).to_pyarrow_table().to_pylist()
    return rows


def _comparable(row: dict[str, Any]) -> str:
    """Return a row as text: without its emission, times as the record writes them."""
    plain = {name: value for name, value in row.items() if name != "emission_id"}
    if not isinstance(plain["ts"], str):
        utc = plain["ts"].astimezone(timezone.utc)
        plain["ts"] = utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(plain.get("tags"), list):
        plain["tags"] = dict(plain["tags"])
    return json.dumps(plain, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a lake; empty everywhere for a sound one."""

    lost: list[RunKey]
    duplicated: list[RunKey]
    mixed: list[RunKey]
    partial: list[RunKey]
    foreign: list[RunKey]

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.duplicated or self.mixed or self.partial or self.foreign)


def check(lake: str | Path, produced: Iterable[Record]) -> Verdict:
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
    verdict = Verdict([], [], [], [], [])
    everything = {key for rows in found.values() for key in rows}
    verdict.foreign.extend(sorted(everything - set(candidates)))
    for key, records in candidates.items():
        n_runs = len(found["runs"][key])
        if n_runs == 0:
            verdict.lost.append(key)
            continue
        if n_runs > 1:
            verdict.duplicated.append(key)
            continue
        rows = {grain: Counter(map(_comparable, found[grain][key])) for grain in grains}
        expected = [{g: Counter(map(_comparable, r[g])) for g in grains} for r in records]
        if rows not in expected:
            sizes = [{g: len(r[g]) for g in grains} for r in records]
            whole = {g: len(found[g][key]) for g in grains} in sizes
            (verdict.mixed if whole else verdict.partial).append(key)
            continue
        if len({row["emission_id"] for grain in grains for row in found[grain][key]}) != 1:
            verdict.mixed.append(key)
    return verdict
