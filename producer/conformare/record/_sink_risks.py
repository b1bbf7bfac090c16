"""Which risks reach which sink, and from how far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conformare.capture._lineage import Event, Sink, Snapshot
from conformare.capture._scope import Declared
from conformare.record._register import owners_of, severity_of

PROCESS_CONTEXT = "(process)"


class ReachingRisk(NamedTuple):
    """The nearest occurrence of one risk id before one sink."""

    sink: Sink
    risk_id: str
    label: str
    severity: str
    owners: list[str]
    mitigated: bool
    kind: str
    distance: int | None
    context_label: str | None


def _reaching(
    sink: Sink, risks: list[Declared], distance: int | None, context_label: str | None
) -> ReachingRisk:
    """Sum up what was declared under one id in one place."""
    kind = "process" if distance is None else "indirect" if distance else "direct"
    return ReachingRisk(
        sink=sink,
        risk_id=risks[0].risk_id,
        label=risks[0].label,
        severity=severity_of(risks),
        owners=owners_of(risks),
        mitigated=any(risk.mitigation for risk in risks),
        kind=kind,
        distance=distance,
        context_label=context_label,
    )


def _not_met(risks: tuple[Declared, ...], met: set[str]) -> Iterable[list[Declared]]:
    """Return the risks whose ids have not been met so far, by id, and take note of these."""
    by_id: dict[str, list[Declared]] = {}
    for risk in risks:
        if risk.risk_id not in met:
            by_id.setdefault(risk.risk_id, []).append(risk)
    met.update(by_id)
    return by_id.values()


def _on_the_way(sink: Sink, made_by: dict[int, Event]) -> Iterator[tuple[int, Event]]:
    """Walk from a sink against the flow: the distance of each event and the event, nearest first."""
    distances = {sink.node: 0}
    reached = [sink.node]
    for node in reached:  # it grows meanwhile
        event = made_by.get(node)
        if event is None:
            continue
        distance = distances[node]
        yield distance, event
        for parent in event.parents:
            if parent not in distances:
                distances[parent] = distance + 1
                reached.append(parent)


def risks_of_sinks(content: Snapshot) -> Iterator[ReachingRisk]:
    """Yield the risks of every sink: by distance, those of the process last.

    Args:
        content: What was captured.
    """
    made_by: dict[int, Event] = {}
    for event in content.events:
        made_by.setdefault(event.child, event)
    for sink in content.sinks:
        met: set[str] = set()
        nearer: tuple[Declared, ...] = ()
        for distance, event in _on_the_way(sink, made_by):
            if event.risks is nearer:
                continue  # the events of a block share the tuple of its risks
            nearer = event.risks
            context = event.group.label if event.group else None
            for risks in _not_met(nearer, met):
                yield _reaching(sink, risks, distance, context)
        for risks in _not_met(content.process_risks, met):
            yield _reaching(sink, risks, None, PROCESS_CONTEXT)
