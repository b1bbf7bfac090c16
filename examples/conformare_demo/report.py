"""The findings as tables that a person likes to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformare.fleet.questions import Finding
from conformare_demo.findings import DriftFinding, Findings
from conformare_schemas import RUN_GRAINS
from conformare_sink.cli._console import Cell, joined, styled

Table = tuple[str, tuple[str, ...], list[tuple[Cell, ...]]]
"""Its title, what stands above its columns, and its rows."""

_STATUS_STYLES = {"healthy": "green", "degraded": "yellow", "failed": "red"}
_HASH_DIGITS = 8


def report_tables(findings: Findings) -> Iterator[Table]:
    """Yield one table per question: how it went, what is recorded, what moved, what is sensitive."""
    yield _runs(findings)
    yield _rows(findings)
    yield _drifts(findings)
    yield _sensitive(findings)


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return what needs attention, and who that is."""
    rows: list[tuple[Cell, ...]] = [
        (styled(one.kind, "red"), one.text, ", ".join(one.owners) or "nobody") for one in findings
    ]
    return "What needs attention", ("kind", "what", "owner"), rows


def _runs(findings: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            number,
            run.git_sha,
            styled(run.status, _STATUS_STYLES[run.status]),
            f"{run.risks_open} of {run.risks}",
            f"{run.checks_failed} of {run.checks}",
            _lines(run.reasons),
        )
        for number, run in enumerate(findings.runs, start=1)
    ]
    return "Runs", ("run", "commit", "status", "open risks", "failed checks", "why"), rows


def _rows(findings: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for grain in RUN_GRAINS:
        counts = [run.rows[grain] for run in findings.runs]
        rows.append((grain, *counts, sum(counts)))
    runs = (f"run {number}" for number in range(1, len(findings.runs) + 1))
    return "Rows in the tables", ("grain", *runs, "all"), rows


def _drifts(findings: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            drift.context,
            drift.git_sha,
            _moved(drift.impl_hashes),
            _moved(drift.risk_hashes),
            _meaning(drift),
        )
        for drift in findings.drifts
    ]
    columns = ("context", "by commit", "impl_hash", "risk_hash", "meaning")
    return "Contexts that changed between runs", columns, rows


def _moved(hashes: tuple[str, str]) -> Cell:
    before, after = (text[:_HASH_DIGITS] for text in hashes)
    return "same" if hashes[0] == hashes[1] else f"{before} -> {after}"


def _meaning(drift: DriftFinding) -> Cell:
    if drift.risk_hashes[0] == drift.risk_hashes[1]:
        return styled("code changed, risks not reviewed", "red")
    if drift.impl_hashes[0] == drift.impl_hashes[1]:
        return "risks reviewed, same code"
    return "code changed, risks reviewed"


def _sensitive(findings: Findings) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (", ".join(found.columns), f"{found.sink} ({found.format})", _lines(found.risks))
        for found in findings.sensitive
    ]
    columns = ("column", "to", "risks on the way")
    return "Sensitive columns written by the last run", columns, rows


def _lines(texts: tuple[str, ...]) -> Cell:
    return joined(texts) if texts else "-"
