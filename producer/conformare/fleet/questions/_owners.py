"""Who owns what as of the newest runs, and which risks nobody owns or mitigates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from conformare.fleet._fleet import EVERYTHING, Filters, Fleet

SEVERITIES = ("critical", "high", "medium", "low")
"""Most severe first; a severity that is none of them comes after."""


@dataclass(frozen=True)
class Owned:
    """One thing that somebody owns: a risk or a context of a pipeline."""

    pipeline: str
    env: str | None
    scope: str
    ref: str
    role: str


@dataclass(frozen=True)
class Owner:
    """Somebody who owns something.

    Attributes:
        owned: What they own as of the newest runs; empty for one whom only older runs name.
        former_pipelines: Pipelines that name them in older runs alone.
        last_ts: When a run last named them.
    """

    owner: str
    owned: tuple[Owned, ...]
    former_pipelines: tuple[str, ...]
    last_ts: datetime

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The pipelines in which they own something, by name."""
        return tuple(sorted({one.pipeline for one in self.owned}))


@dataclass(frozen=True)
class OpenRisk:
    """A risk of a pipeline's newest run that nobody mitigates, or nobody owns."""

    pipeline: str
    env: str | None
    run_id: str
    risk_id: str
    label: str
    severity: str
    mitigated: bool
    owners: tuple[str, ...]


def owners(fleet: Fleet, filters: Filters = EVERYTHING) -> list[Owner]:
    """Return everybody who owns something, or once did, by name.

    Args:
        fleet: The fleet.
        filters: Which pipelines; owners whom only older runs name are those of all.
    """
    owned: dict[str, list[Owned]] = defaultdict(list)
    for key in fleet.chosen(filters):
        named = {
            (row["owner"], Owned(key.pipeline, key.env, row["scope"], row["ref"], row["role"]))
            for row in fleet.rows("owners").get(key, ())
        }
        for owner, of in sorted(named, key=lambda one: (one[1].scope, one[1].ref, one[1].role)):
            owned[owner].append(of)
    now = {
        (row["owner"], key.pipeline) for key, rows in fleet.rows("owners").items() for row in rows
    }
    former: dict[str, list[str]] = defaultdict(list)
    last: dict[str, datetime] = {}
    for seen in fleet.store.owners_seen():
        last[seen.owner] = max(last.get(seen.owner, seen.last_ts), seen.last_ts)
        is_chosen = filters.pipeline in (None, seen.pipeline) and filters.owner in (
            None,
            seen.owner,
        )
        if is_chosen and (seen.owner, seen.pipeline) not in now:
            former[seen.owner].append(seen.pipeline)
    names = {name for name in {*owned, *former} if filters.owner in (None, name)}
    return [
        Owner(name, tuple(owned.get(name, ())), tuple(sorted(former.get(name, ()))), last[name])
        for name in sorted(names)
    ]


def open_risks(fleet: Fleet, filters: Filters = EVERYTHING) -> list[OpenRisk]:
    """Return the risks that nobody mitigates or nobody owns, most severe first.

    Args:
        fleet: The fleet.
        filters: Which pipelines.
    """
    found = [
        OpenRisk(
            key.pipeline,
            key.env,
            row["run_id"],
            row["risk_id"],
            row["label"],
            row["severity"],
            bool(row["mitigated"]),
            tuple(row["owners"] or ()),
        )
        for key in fleet.chosen(filters)
        for row in sorted(fleet.rows("risks").get(key, ()), key=lambda row: row["risk_id"])
        if not row["mitigated"] or not row["owned"]
    ]
    # Pipelines are in order already.
    return sorted(found, key=lambda risk: severity_order(risk.severity))


def severity_order(severity: str) -> int:
    """Return where a severity stands; the most severe is 0."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
