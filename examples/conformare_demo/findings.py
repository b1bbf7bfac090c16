"""What the lake says about the runs, read from its tables without Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from deltalake import DeltaTable

import conformare as cf
from conformare_schemas import RUN_GRAINS, table_path
from conformare_sink.lake.tables.own import PENDING, QUARANTINE

Row = Mapping[str, Any]


@dataclass(frozen=True)
class RunFinding:
    """One run: how it went, and why."""

    run_id: str
    git_sha: str
    status: str
    risks: int
    risks_open: int
    checks: int
    checks_failed: int
    reasons: tuple[str, ...]
    rows: Mapping[str, int]
    """Rows by grain."""


@dataclass(frozen=True)
class DriftFinding:
    """A context one of whose fingerprints moved from one run to the next."""

    context: str
    git_sha: str
    """Commit of the run by which it had moved."""
    impl_hashes: tuple[str, str]
    """What the context does, before and after."""
    risk_hashes: tuple[str, str]
    """Which risks it carries, before and after."""


@dataclass(frozen=True)
class SensitiveFinding:
    """A sink to which sensitive columns were written."""

    sink: str
    format: str
    columns: tuple[str, ...]
    risks: tuple[str, ...]
    """Risks that reach it, each with its owners and whether it is mitigated."""


@dataclass(frozen=True)
class Findings:
    """What the demo shows of a lake."""

    runs: tuple[RunFinding, ...]
    drifts: tuple[DriftFinding, ...]
    sensitive: tuple[SensitiveFinding, ...]


def table_files(lake: str) -> dict[str, frozenset[str]]:
    """Return the files of each table of a lake: the same ones hold the same rows."""
    names = (*RUN_GRAINS, PENDING.name, QUARANTINE.name)
    return {name: frozenset(DeltaTable(table_path(lake, name)).file_uris()) for name in names}


def read_findings(lake: str) -> Findings:
    """Return what the tables of a lake say about its runs, oldest first.

    Args:
        lake: Folder of the lake; its runs are of one pipeline.
    """
    tables = {
        grain: DeltaTable(table_path(lake, grain)).to_pyarrow_table().to_pylist()
        for grain in RUN_GRAINS
    }
    runs = sorted(tables["runs"], key=lambda run: run["ts"])
    return Findings(
        runs=tuple(
            _run(run, {grain: _of(run, rows) for grain, rows in tables.items()}) for run in runs
        ),
        drifts=tuple(_drifts(runs, tables["contexts"])),
        sensitive=tuple(
            _sensitive(_of(runs[-1], tables["sinks"]), _of(runs[-1], tables["sink_risks"]))
            if runs
            else ()
        ),
    )


def _of(run: Row, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["run_id"] == run["run_id"]]


def _run(run: Row, tables: Mapping[str, list[Row]]) -> RunFinding:
    return RunFinding(
        run_id=run["run_id"],
        git_sha=run["git_sha"],
        status=run["status"],
        risks=run["risks_total"],
        risks_open=run["risks_unmitigated"],
        checks=run["ge_evaluated"],
        checks_failed=run["ge_failed"],
        reasons=tuple(_reasons(tables)),
        rows=Counter({grain: len(rows) for grain, rows in tables.items()}),
    )


def _reasons(tables: Mapping[str, list[Row]]) -> Iterator[str]:
    for check in tables["expectations"]:
        if check["success"] is False:
            kind = "hard" if check["hard"] else "advisory"
            asked = check["expectation"].removeprefix("expect_").replace("_", " ")
            subject = check["column"] or check["node"]
            yield f"{kind} check failed: {subject}, {asked}: {check['observed']}"
    for risk in tables["risks"]:
        if not risk["mitigated"]:
            places = [
                c["context_label"] for c in tables["contexts"] if risk["risk_id"] in c["risk_ids"]
            ]
            yield f"open risk: {risk['risk_id']} in {_names(places)}, owner {_names(risk['owners'])}"


def _drifts(runs: Iterable[Row], contexts: Iterable[Row]) -> Iterator[DriftFinding]:
    by_run = {run["run_id"]: {c["context_label"]: c for c in _of(run, contexts)} for run in runs}
    for before, after in pairwise(runs):
        then, now = by_run[before["run_id"]], by_run[after["run_id"]]
        for label in sorted(then.keys() & now.keys()):
            impl = (then[label]["impl_hash"], now[label]["impl_hash"])
            risk = (then[label]["risk_hash"], now[label]["risk_hash"])
            if impl[0] != impl[1] or risk[0] != risk[1]:
                yield DriftFinding(label, after["git_sha"], impl, risk)


def _sensitive(sinks: Iterable[Row], reaching: Iterable[Row]) -> Iterator[SensitiveFinding]:
    for sink in sinks:
        if sink["n_sensitive"]:
            risks = [row for row in reaching if row["sink_node"] == sink["node"]]
            yield SensitiveFinding(
                sink=sink["node"],
                format=sink["format"],
                columns=tuple(cf.scan_columns(sink["columns"])),
                risks=tuple(
                    f"{row['risk_id']}: {'mitigated' if row['mitigated'] else 'open'}, "
                    f"owner {_names(row['owners'])}"
                    for row in risks
                ),
            )


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"
