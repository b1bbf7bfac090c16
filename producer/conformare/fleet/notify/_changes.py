"""What is new, and what is resolved, since what was reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from itertools import groupby
from typing import Any, Literal

from conformare.fleet.questions import Finding

What = Literal["new", "resolved"]


@dataclass(frozen=True)
class Reported:
    """A finding as it is told, and kept until it is resolved.

    Attributes:
        identity: The same for as long as it is the same finding.
        since: The run's time from which on it is so, in ISO 8601.
    """

    identity: str
    kind: str
    pipeline: str
    env: str | None
    run_id: str
    subject: str
    text: str
    owners: tuple[str, ...]
    since: str

    @classmethod
    def of(cls, finding: Finding) -> Reported:
        """Return a finding as it is told."""
        in_utc = finding.since.astimezone(timezone.utc).replace(tzinfo=None)
        told = {name: getattr(finding, name) for name in _FROM_FINDING}
        return cls(**told, since=f"{in_utc.isoformat(timespec='microseconds')}Z")

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Reported:
        """Return one as `vars` of it was kept.

        Raises:
            KeyError, TypeError: It is none.
        """
        found = cls(**{**row, "owners": tuple(row["owners"])})
        texts = {**vars(found), "env": found.env or ""}
        owners = texts.pop("owners")
        if not all(isinstance(text, str) for text in (*owners, *texts.values())):
            raise TypeError("its values are not text")
        return found


_FROM_FINDING = ("identity", "kind", "pipeline", "env", "run_id", "subject", "text", "owners")


@dataclass(frozen=True)
class Change:
    """A finding that is new, or one that is resolved."""

    what: What
    finding: Reported


def changes(reported: Mapping[str, Reported], found: Sequence[Finding]) -> list[Change]:
    """Return what has changed since the last report, by owner.

    Args:
        reported: What was reported and not resolved since, by identity.
        found: What is found now.
    """
    now = {finding.identity: finding for finding in found}
    new = [
        Change("new", Reported.of(finding))
        for identity, finding in now.items()
        if identity not in reported
    ]
    resolved = [
        Change("resolved", one) for identity, one in reported.items() if identity not in now
    ]
    # A finding of two owners is told once, to both; what nobody owns comes last.
    return sorted(
        [*new, *resolved], key=lambda one: (not one.finding.owners, one.finding.owners, one.what)
    )


def by_owners(told: Iterable[Change]) -> Iterator[tuple[tuple[str, ...], list[Change]]]:
    """Yield changes by those who own them, in the order in which they come."""
    for owners, of_owners in groupby(told, lambda one: one.finding.owners):
        yield owners, list(of_owners)
