"""Findings for a person at a terminal or in a log: one line each."""

from __future__ import annotations

from conformare.cli.fleet.formats._verdict import Verdict, name_of, owners_of
from conformare.fleet.questions import Finding
from conformare_schemas.printable import printable


def as_text(verdict: Verdict) -> str:
    """Return one line for each finding, with its owner and run."""
    return "".join(f"{printable(_line(finding))}\n" for finding in verdict.findings)


def _line(finding: Finding) -> str:
    return (
        f"{finding.kind}: {name_of(finding)}: {finding.text} "
        f"[owner: {owners_of(finding)}; run {finding.run_id}]"
    )
