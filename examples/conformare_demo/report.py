"""The findings as tables that a person likes to read."""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from conformare_demo.findings import DriftFinding, Findings
from conformare_schemas import GRAINS

_STATUS_STYLES = {"healthy": "green", "degraded": "yellow", "failed": "red"}
_HASH_DIGITS = 8


def report_tables(findings: Findings) -> Iterator[Table]:
    """Yield one table per question: how it went, what is recorded, what moved, what is sensitive."""
    yield _runs(findings)
    yield _rows(findings)
    yield _drifts(findings)
    yield _sensitive(findings)


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", title_style="bold")


def _runs(findings: Findings) -> Table:
    table = _table("Runs", "run", "commit", "status", "open\nrisks", "failed\nchecks", "why")
    for number, run in enumerate(findings.runs, start=1):
        style = _STATUS_STYLES[run.status]
        table.add_row(
            str(number),
            run.git_sha,
            f"[{style}]{run.status}[/]",
            f"{run.risks_open} of {run.risks}",
            f"{run.checks_failed} of {run.checks}",
            escape("\n".join(run.reasons)) or "-",
        )
    return table


def _rows(findings: Findings) -> Table:
    table = _table("Rows in the tables", "grain")
    for number in range(1, len(findings.runs) + 1):
        table.add_column(f"run {number}", justify="right")
    table.add_column("all", justify="right")
    for grain in GRAINS:
        counts = [run.rows[grain] for run in findings.runs]
        table.add_row(grain, *map(str, counts), str(sum(counts)))
    return table


def _drifts(findings: Findings) -> Table:
    table = _table(
        "Contexts that moved from one run to the next",
        "context",
        "by commit",
        "impl_hash",
        "risk_hash",
        "so",
    )
    for drift in findings.drifts:
        table.add_row(
            escape(drift.context),
            drift.git_sha,
            _moved(drift.impl_hashes),
            _moved(drift.risk_hashes),
            _meaning(drift),
        )
    return table


def _moved(hashes: tuple[str, str]) -> str:
    before, after = (text[:_HASH_DIGITS] for text in hashes)
    return "same" if hashes[0] == hashes[1] else f"{before} -> [bold]{after}[/]"


def _meaning(drift: DriftFinding) -> str:
    if drift.risk_hashes[0] == drift.risk_hashes[1]:
        return "[red]code changed, risks not reviewed[/]"
    if drift.impl_hashes[0] == drift.impl_hashes[1]:
        return "risks reviewed, same code"
    return "code changed, risks reviewed"


def _sensitive(findings: Findings) -> Table:
    table = _table("Sensitive columns written by the last run", "column", "to", "risks on the way")
    for found in findings.sensitive:
        table.add_row(
            escape(", ".join(found.columns)),
            escape(f"{found.sink} ({found.format})"),
            escape("\n".join(found.risks)) or "-",
        )
    return table
