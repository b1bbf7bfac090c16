"""Which risks reach which sink, and from how far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformare.capture._lineage import Event, Sink, Snapshot
from conformare.capture.declared._risks import SEVERITIES
from conformare.capture.declared._scope import Declared
from conformare.record._register import owners_of

PROCESS_CONTEXT = "(process)"


@dataclass(frozen=True)
class ReachingRisk:
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
        severity=max((risk.severity for risk in risks), key=SEVERITIES.index),
        owners=owners_of(risks),
        mitigated=any(risk.mitigation for risk in risks),
        kind=kind,
        distance=distance,
        context_label=context_label,
    )


def _by_id(risks: tuple[Declared, ...]) -> dict[str, list[Declared]]:
    by_id: dict[str, list[Declared]] = {}
    for risk in risks:
        by_id.setdefault(risk.risk_id, []).append(risk)
    return by_id


def _levels(sink: Sink, made_by: dict[int, Event]) -> Iterator[list[Event]]:
    """Walk from a sink against the flow, all events of one distance at a time."""
    level = [sink.node]
    seen = set(level)
    while level:
        events = [made_by[node] for node in level if node in made_by]
        yield events
        parents = dict.fromkeys(parent for event in events for parent in event.parents)
        level = [parent for parent in parents if parent not in seen]
        seen.update(level)


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
        for distance, events in enumerate(_levels(sink, made_by)):
            for event in events:
                context = event.group.label if event.group else None
                for risk_id, risks in _by_id(event.risks).items():
                    if risk_id not in met:
                        met.add(risk_id)
                        yield _reaching(sink, risks, distance, context)
        for risk_id, risks in _by_id(content.process_risks).items():
            if risk_id not in met:
                yield _reaching(sink, risks, None, PROCESS_CONTEXT)
