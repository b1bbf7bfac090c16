"""Risks that somebody declares of a location, outside of any run: their rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from conformare import _fork_guard as fork_guard
from conformare.capture import Risk, risk
from conformare.capture._scope import Declared
from conformare.capture.declared._contexts import Risks, declared_risks
from conformare.capture.declared._location import canonical_location
from conformare.capture.declared._risks import resolved_risk, validated_severity
from conformare.record._arguments import utc_ts
from conformare_schemas import SOURCE_RISKS

MOST_RISKS = 1_000
"""Of one declaration: it is one message."""
KIND = "static"
OF_A_RISK = ("owner", "mitigation", "note")
OF_A_DECLARATION = ("column", "context", "author")


def source_risk_record(
    location: str | os.PathLike[str],
    risks: Sequence[Risks],
    *,
    severity: str | None,
    ts: datetime | str | None,
    **texts: str | None,
) -> dict[str, list[dict[str, Any]]]:
    """Return the record of risks that are declared of a location.

    Args:
        location: A path, a URL or the name of a table.
        risks: Ids, entries of the catalog, or what `risk(...)` returns.
        severity: low, medium, high or critical; the catalog's when not said.
        ts: When they are declared; now when not given.
        texts: The other keywords of `record_source_risk`.

    Returns:
        The grain `source_risks` → its rows, values that JSON knows.

    Raises:
        ValueError: There is no location or no risk, or an argument does not fit.
    """
    with fork_guard.whole:
        from conformare.record._models import SourceRisksRow

    place = canonical_location(location)
    given = None if severity is None else validated_severity(severity)
    said = {name: _said(text) for name, text in texts.items()}
    declared = [
        _completed(one, given, _part(said, OF_A_RISK), is_own=isinstance(entry, risk))
        for entry in _each(risks)
        for one in declared_risks(entry)
    ]
    if not declared or not all(one.risk_id.strip() for one in declared):
        raise ValueError("name at least one risk: an id, an entry of the catalog or risk(...)")
    distinct = list(dict.fromkeys(declared))
    if len(distinct) > MOST_RISKS:
        raise ValueError(
            f"{len(distinct):,} risks are too many for one declaration; {MOST_RISKS:,} is the most"
        )
    shared = {"location": place, "ts": utc_ts(ts), "kind": KIND, **_part(said, OF_A_DECLARATION)}
    rows = [SourceRisksRow(**shared, **vars(one)) for one in distinct]
    return {SOURCE_RISKS: [row.model_dump() for row in rows]}


def _said(text: object) -> str | None:
    return None if text is None or not str(text).strip() else str(text)


def _part(said: dict[str, str | None], names: Sequence[str]) -> dict[str, Any]:
    return {name: said[name] for name in names}


def _each(risks: Sequence[Risks]) -> Iterator[str | Risk | risk]:
    for entry in risks:
        if isinstance(entry, (str, Risk, risk)):
            yield entry
        elif entry is not None:
            yield from _each([*entry])


def _completed(
    declared: Declared, severity: str | None, said: dict[str, str | None], *, is_own: bool
) -> Declared:
    """Return a risk with what is said of all; what `risk(...)` says of its own stays."""
    of_all: dict[str, Any] = {
        name: text for name, text in said.items() if getattr(declared, name) is None
    }
    usual = resolved_risk(declared.risk_id).default_severity
    if severity is not None and not (is_own and declared.severity != usual):
        of_all["severity"] = severity
    return replace(declared, **of_all)
