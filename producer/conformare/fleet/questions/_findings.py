"""What of a fleet needs attention: each finding once, with who owns it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.questions._drift import drift
from conformare.fleet.questions._health import PipelineHealth, health
from conformare.fleet.questions._owners import open_risks
from conformare.fleet.questions._spans import span
from conformare.fleet.stores import PipelineKey

Kind = Literal["failed", "drift", "stale", "unowned-critical", "degraded", "unknown"]
KINDS: tuple[Kind, ...] = ("failed", "drift", "stale", "unowned-critical", "degraded", "unknown")
"""Every kind of finding, the most urgent first."""
MOST_NAMES = 3
"""So many expectations or risks are named in a finding."""
DEFAULT_KINDS: tuple[Kind, ...] = ("failed", "drift", "stale", "unowned-critical", "degraded")


@dataclass(frozen=True)
class Finding:
    """One thing that needs attention.

    Attributes:
        subject: What it is about within the pipeline: a context, a risk; empty for the pipeline.
        text: What was found, in one sentence.
        owners: Who is responsible; empty for nobody.
        since: From when on it is so, as far as that is known.
    """

    kind: Kind
    pipeline: str
    env: str | None
    run_id: str
    subject: str
    text: str
    owners: tuple[str, ...]
    since: datetime

    @property
    def identity(self) -> str:
        """The same for as long as it is the same finding, whichever run has it."""
        of_run = self.run_id if self.kind == "drift" else ""
        # An environment that was not said is another than one that is empty.
        env = "" if self.env is None else f"={self.env}"
        return f"{self.kind}\x1f{self.pipeline}\x1f{env}\x1f{self.subject}\x1f{of_run}"


def findings(
    fleet: Fleet, filters: Filters = EVERYTHING, kinds: Collection[Kind] = DEFAULT_KINDS
) -> list[Finding]:
    """Return what needs attention, most urgent first.

    Args:
        fleet: The fleet.
        filters: Which pipelines.
        kinds: Which kinds of finding.
    """
    found = [finding for one in health(fleet, filters) for finding in _of_health(fleet, one)]
    if "drift" in kinds:
        found += [
            Finding(
                "drift",
                one.pipeline,
                one.env,
                one.to_run,
                one.context_label,
                f"the code of {one.context_label} changed, its risks did not: review them, or "
                "acknowledge it",
                one.owners or tuple(fleet.owners(PipelineKey(one.pipeline, one.env))),
                one.to_ts,
            )
            for one in drift(fleet, filters)
        ]
    if "unowned-critical" in kinds:
        newest = fleet.newest()
        found += [
            Finding(
                "unowned-critical",
                one.pipeline,
                one.env,
                one.run_id,
                one.risk_id,
                f"nobody owns the critical risk {one.risk_id}",
                (),
                newest[PipelineKey(one.pipeline, one.env)]["ts"],
            )
            for one in open_risks(fleet, filters)
            if one.severity == "critical" and not one.owners
        ]
    chosen = [one for one in found if one.kind in kinds]
    return sorted(chosen, key=lambda one: KINDS.index(one.kind))


def _of_health(fleet: Fleet, one: PipelineHealth) -> list[Finding]:
    # The strip has the oldest first, and the streak is at its end.
    since = one.strip[-one.streak].ts
    found: list[tuple[Kind, str, datetime]] = []
    if one.health in ("failed", "degraded"):
        words = "failed" if one.health == "failed" else "is degraded"
        found.append((one.health, f"its newest run {words}{_why(fleet, one.key)}", since))
    if one.is_stale and one.due_after is not None:
        text = f"its newest run is {span(one.age)} old, more than {span(one.due_after)}"
        found.append(("stale", text, one.ts + one.due_after))
    if one.strip[-1].health == "unknown":
        found.append(("unknown", "nothing in its newest run was evaluated", since))
    return [
        Finding(kind, one.pipeline, one.env, one.run_id, "", text, one.owners, begun)
        for kind, text, begun in found
    ]


def _why(fleet: Fleet, key: PipelineKey) -> str:
    """Return what its newest run names as failing or open, shortly."""
    failed, errored = (
        [
            f"{row['expectation']}({row['column'] or ''})"
            for row in fleet.rows("expectations").get(key, ())
            if row["success"] is success
        ]
        for success in (False, None)
    )
    risks = [row["risk_id"] for row in fleet.rows("risks").get(key, ()) if not row["mitigated"]]
    parts = [
        f"{', '.join(sorted(set(names))[:MOST_NAMES])}{_and_more(names)} {words}"
        for names, words in (
            (failed, "does not hold"),
            (errored, "could not be evaluated"),
            (risks, "is not mitigated"),
        )
        if names
    ]
    return f": {'; '.join(parts)}" if parts else ""


def _and_more(names: Collection[str]) -> str:
    more = len(set(names)) - MOST_NAMES
    return f" and {more} more" if more > 0 else ""
