"""What the fleet should answer about owners, risks and places, found in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from conformare.fleet import PipelineKey
from conformare.fleet.questions import (
    CarriedRisk,
    OpenRisk,
    Owned,
    Owner,
    Reached,
    SensitiveSink,
)
from support.fleet.history import History, Key, Row, in_order

SEVERITIES = ["critical", "high", "medium", "low"]
Places = Mapping[str, int]
"""Which place a spelling of a location means."""


def owners(history: History) -> list[Owner]:
    """Return everybody who owns something now, or once did."""
    newest = history.newest()
    everybody = {one["owner"] for run in history.runs for one in history.of(run, "owners")}
    found = []
    for name in sorted(everybody):
        owned = [
            Owned(key[0], key[1], one["scope"], one["ref"], one["role"])
            for key in in_order(newest)
            for one in sorted(
                history.of(newest[key], "owners"),
                key=lambda one: (one["scope"], one["ref"], one["role"]),
            )
            if one["owner"] == name
        ]
        naming = [
            run
            for run in history.runs
            if name in {one["owner"] for one in history.of(run, "owners")}
        ]
        former = {run["pipeline"] for run in naming} - {one.pipeline for one in owned}
        last = max(run["ts"] for run in naming)
        found.append(Owner(name, tuple(owned), tuple(sorted(former)), last))
    return found


def open_risks(history: History) -> list[OpenRisk]:
    """Return the risks of the newest runs that nobody mitigates, or nobody owns."""
    newest = history.newest()
    found = [
        OpenRisk(
            key[0],
            key[1],
            newest[key]["run_id"],
            one["risk_id"],
            one["label"],
            one["severity"],
            one["mitigated"],
            tuple(one["owners"]),
        )
        for key in in_order(newest)
        for one in history.of(newest[key], "risks")
        if not (one["mitigated"] and one["owned"])
    ]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), in_place(one)))


def in_place(one: OpenRisk) -> tuple[str, bool, str, str]:
    """Return where a risk stands among those of its severity."""
    return one.pipeline, one.env is not None, one.env or "", one.risk_id


def reached(
    history: History, places: Places, starts: Iterable[Key | str], direction: str = "down"
) -> set[tuple[int, str, str | None, int | None]]:
    """Return what pipelines or locations reach: distance, and pipeline and env, or place.

    Distances are lowered for as long as one can be: no queue, no order.
    """
    newest = history.newest()
    leaves, enters = ("sinks", "sources") if direction == "down" else ("sources", "sinks")
    goes = {
        key: {places[one["location"]] for one in history.of(run, leaves)}
        for key, run in newest.items()
    }
    comes = {
        key: {places[one["location"]] for one in history.of(run, enters)}
        for key, run in newest.items()
    }
    begin = {start if isinstance(start, tuple) else places[start] for start in starts}
    distance: dict[Key | int, int] = dict.fromkeys(begin, 0)
    lowered = True
    while lowered:
        lowered = False
        for key in newest:
            arriving = [distance[place] + 1 for place in comes[key] if place in distance]
            if arriving and min(arriving) < distance.get(key, min(arriving) + 1):
                distance[key] = min(arriving)
                lowered = True
            for place in goes[key] if key in distance else ():
                if distance[key] < distance.get(place, distance[key] + 1):
                    distance[place] = distance[key]
                    lowered = True
    found: set[tuple[int, str, str | None, int | None]] = set()
    for node, far in distance.items():
        if node in begin:
            continue
        if isinstance(node, tuple):
            found.add((far, *node, None))
        else:
            found.add((far, "", None, node))
    return found


def as_reached(
    found: Iterable[Reached], places: Places
) -> set[tuple[int, str, str | None, int | None]]:
    """Return an answer of the fleet in the form of `reached`."""
    return {
        (one.distance, one.pipeline, one.env, None)
        if one.location is None
        else (one.distance, "", None, places[one.location])
        for one in found
    }


def carried(history: History, places: Places, location: str) -> list[CarriedRisk]:
    """Return the risks that a location carries; of each, the strongest kind at its nearest."""
    brought = [
        CarriedRisk(
            location=location,
            risk_id=one["risk_id"],
            label=one["label"],
            severity=one["severity"],
            kind=one["kind"],
            distance=one["distance"],
            owners=tuple(one["owners"]),
            mitigated=one["mitigated"],
            seen_in=(run["pipeline"],),
            context=one["context_label"],
        )
        for run in history.newest().values()
        for one in history.of(run, "sink_risks")
        if places[one["sink_location"]] == places[location]
    ]
    brought += [_declared(one, location) for one in _holding(history, places, location)]
    kinds = ["direct", "indirect", "process", "static"]
    found = []
    for risk_id in {one.risk_id for one in brought}:
        ways = [one for one in brought if one.risk_id == risk_id]
        first = min(
            ways,
            key=lambda one: (
                kinds.index(one.kind),
                one.distance or 0,
                SEVERITIES.index(one.severity),
                one.mitigated,
                (one.seen_in, one.owners, one.context or "", one.label),
                (one.column or "", one.note or ""),
            ),
        )
        worst = min(SEVERITIES.index(one.severity) for one in ways)
        columns = [one.column for one in ways if one.kind == first.kind]
        of_all = {
            "severity": SEVERITIES[worst],
            "owners": tuple(sorted({name for one in ways for name in one.owners})),
            "mitigated": not any(not one.mitigated for one in ways),
            "seen_in": tuple(sorted({name for one in ways for name in one.seen_in})),
            "column": ", ".join(sorted({one or "" for one in columns})) if all(columns) else None,
        }
        found.append(CarriedRisk(**{**vars(first), **of_all}))
    return sorted(
        found,
        key=lambda one: (SEVERITIES.index(one.severity), kinds.index(one.kind), one.risk_id),
    )


def _holding(history: History, places: Places, location: str) -> list[Row]:
    """Return what was declared last for each risk and column of a place."""
    found: dict[tuple[str, str | None], Row] = {}
    for one in history.tables.get("source_risks", []):
        what = one["risk_id"], one["column"]
        is_here = places[one["location"]] == places[location]
        if is_here and (what not in found or found[what]["ts"] < one["ts"]):
            found[what] = one
    return list(found.values())


def _declared(one: Row, location: str) -> CarriedRisk:
    return CarriedRisk(
        location=location,
        risk_id=one["risk_id"],
        label=one["label"],
        severity=one["severity"],
        kind="static",
        distance=None,
        owners=(one["owner"],) if one["owner"] else (),
        mitigated=bool(one["mitigation"]),
        seen_in=(one["author"] or "static",),
        context=one["context"],
        column=one["column"],
        note=one["note"],
    )


def sensitive(
    history: History, places: Places, as_of: datetime | None = None
) -> list[SensitiveSink]:
    """Return where sensitive columns are written; `email` and `ssn` are the sensitive ones here."""
    newest = history.newest(as_of)
    found = []
    for key, run in newest.items():
        for sink in history.of(run, "sinks"):
            if sink["n_sensitive"]:
                readers = {
                    other
                    for other, its_run in newest.items()
                    for source in history.of(its_run, "sources")
                    if places[source["location"]] == places[sink["location"]]
                }
                found.append(
                    SensitiveSink(
                        sink["location"],
                        *key,
                        run["run_id"],
                        run["ts"],
                        sink["n_sensitive"],
                        tuple(sorted({"email", "ssn"} & set(sink["columns"]))),
                        tuple(PipelineKey(*one) for one in in_order(readers)),
                    )
                )
    return sorted(
        found,
        key=lambda one: (one.location, one.pipeline, one.env is not None, one.env or ""),
    )


def sinks_as_of(history: History, pipeline: str, ts: datetime) -> list[Row]:
    """Return the sinks of a pipeline's newest run at a time, whichever environment it was in."""
    runs = [run for run in history.runs if run["pipeline"] == pipeline and run["ts"] <= ts]
    if not runs:
        return []
    return history.of(max(runs, key=lambda run: (run["ts"], run["run_id"])), "sinks")


def owner_pipelines(history: History) -> list[Row]:
    """Return who owns what as of the newest runs."""
    newest = history.newest().items()
    found: dict[str, tuple[set[str], set[str]]] = {}
    for key, run in newest:
        for one in history.of(run, "owners"):
            pipelines, refs = found.setdefault(one["owner"], (set(), set()))
            pipelines.add(key[0])
            refs.add(f"{one['scope']}:{one['ref']}")
    return [
        {"owner": name, "pipelines": sorted(found[name][0]), "refs": sorted(found[name][1])}
        for name in sorted(found)
    ]
