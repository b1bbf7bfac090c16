"""The risks that a place carries: from the pipelines that write it, and declared for the place itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from conformare.fleet._fleet import Fleet
from conformare.fleet.questions._owners import severity_order
from conformare.fleet.questions._places import place_of
from conformare.fleet.stores import Row

KINDS = ("direct", "indirect", "process", "static")
"""How a risk comes to a place, the strongest first."""


@dataclass(frozen=True)
class CarriedRisk:
    """A risk that a place carries, whichever ways it comes.

    Attributes:
        label: As the most direct way has it, like kind, distance, context and note.
        severity: The highest that any way has.
        kind: direct (on the write itself), indirect (on a step before it), process (on the whole
            process) or static (declared for the place).
        distance: Steps between the write and the risk; None for process and static.
        owners: Who owns it in any way.
        mitigated: Whether it is in every way.
        seen_in: Pipelines that bring it; who declared it, for static.
        context: Label of the context that declares it.
        column: Of a static one, the columns, with commas between; None for all.
        note: Of a static one, what was said.
    """

    location: str
    risk_id: str
    label: str
    severity: str
    kind: str
    distance: int | None
    owners: tuple[str, ...]
    mitigated: bool
    seen_in: tuple[str, ...]
    context: str | None
    column: str | None = None
    note: str | None = None


def carried_risks(
    fleet: Fleet, locations: Iterable[str] | None = None
) -> dict[str, list[CarriedRisk]]:
    """Return the risks of some locations as of the newest runs, most severe first.

    A risk is told once for a location, as it comes there most directly.

    Args:
        fleet: The fleet.
        locations: Locations as records have them, in any spelling; None for every place that
            carries a risk.
    """
    found: dict[str, dict[str, list[CarriedRisk]]] = defaultdict(lambda: defaultdict(list))
    for risk in _all_carried(fleet):
        found[place_of(risk.location)][risk.risk_id].append(risk)
    asked = (
        {one: one for one in found}
        if locations is None
        else {one: place_of(one) for one in locations}
    )
    return {
        location: sorted(
            (_as_one(location, risks) for risks in found.get(place, {}).values()),
            key=lambda risk: (
                severity_order(risk.severity),
                KINDS.index(risk.kind),
                risk.risk_id,
            ),
        )
        for location, place in asked.items()
    }


def _all_carried(fleet: Fleet) -> Iterator[CarriedRisk]:
    for rows in fleet.rows("sink_risks").values():
        yield from map(_from_sink, rows)
    yield from map(_declared, declared_now(fleet.source_risks()))


def declared_now(rows: Iterable[Row]) -> list[Row]:
    """Return the declarations that hold: the newest for each place, column and risk."""
    newest: dict[tuple[str, str | None, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row["ts"], row.get("emission_id") or "")):
        newest[(place_of(row["location"]), row["column"], row["risk_id"])] = row
    return list(newest.values())


def _from_sink(row: Row) -> CarriedRisk:
    return CarriedRisk(
        location=row["sink_location"],
        risk_id=row["risk_id"],
        label=row["label"],
        severity=row["severity"],
        kind=row["kind"],
        distance=row["distance"],
        owners=tuple(row["owners"] or ()),
        mitigated=bool(row["mitigated"]),
        seen_in=(row["pipeline"],),
        context=row["context_label"],
    )


def _declared(row: Row) -> CarriedRisk:
    return CarriedRisk(
        location=row["location"],
        risk_id=row["risk_id"],
        label=row["label"],
        severity=row["severity"],
        kind="static",
        distance=None,
        owners=(row["owner"],) if row["owner"] else (),
        mitigated=bool(row["mitigation"]),
        seen_in=(row["author"] or "static",),
        context=row["context"],
        column=row["column"],
        note=row["note"],
    )


def _as_one(location: str, risks: list[CarriedRisk]) -> CarriedRisk:
    """Return what one risk is for a place to which it comes in several ways.

    One way that is mild or mitigated must not hide another that is not.
    """
    first = min(
        risks,
        key=lambda risk: (
            KINDS.index(risk.kind),
            -1 if risk.distance is None else risk.distance,
            severity_order(risk.severity),
            risk.mitigated,
            # So that the order of the rows does not count.
            risk.seen_in,
            risk.owners,
            risk.context or "",
            risk.label,
            risk.column or "",
            risk.note or "",
        ),
    )
    columns = {risk.column for risk in risks if risk.kind == first.kind}
    return replace(
        first,
        location=location,
        severity=min((risk.severity for risk in risks), key=severity_order),
        owners=tuple(sorted({name for risk in risks for name in risk.owners})),
        mitigated=all(risk.mitigated for risk in risks),
        seen_in=tuple(sorted({name for risk in risks for name in risk.seen_in})),
        column=None if None in columns else ", ".join(sorted(filter(None, columns))),
    )
