"""What a gate has looked at, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conformare.fleet.questions import Finding, Kind
from conformare.fleet.stores import PipelineKey

NOBODY = "nobody"


@dataclass(frozen=True)
class Verdict:
    """What a gate says.

    Attributes:
        place: The store, for a person.
        at: When it was asked.
        fail_on: The kinds that count.
        pipelines: Which pipelines were looked at.
        findings: What was found, most urgent first.
    """

    place: str
    at: datetime
    fail_on: Sequence[Kind]
    pipelines: Sequence[PipelineKey]
    findings: Sequence[Finding]

    @property
    def summary(self) -> str:
        """The verdict in one line; names of no pipeline are in it."""
        found, looked_at = len(self.findings), len({one.pipeline for one in self.pipelines})
        return (
            f"{found or 'no'} {'finding' if found == 1 else 'findings'} in "
            f"{looked_at} {'pipeline' if looked_at == 1 else 'pipelines'}"
        )


def name_of(one: Finding | PipelineKey) -> str:
    """Return a pipeline and its environment as a person reads them."""
    return one.pipeline if one.env is None else f"{one.pipeline} ({one.env})"


def owners_of(finding: Finding) -> str:
    """Return who is responsible."""
    return ", ".join(finding.owners) or NOBODY
