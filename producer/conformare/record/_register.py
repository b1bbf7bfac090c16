"""The risk register of a run: one entry per risk id, over all the places where it occurs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from conformare.capture._lineage import Snapshot
from conformare.capture._scope import Declared
from conformare.capture.declared._risks import SEVERITIES

_GOVERNANCE = ("low", "medium", "high")


class RegisteredRisk(NamedTuple):
    """One risk id and what its declarations amount to.

    Attributes:
        risk_id: The id.
        label: Title, as first declared.
        category: Heading, as first declared.
        severity: The highest severity that was declared.
        governance: How open the risk is: low, medium or high.
        process: Whether it was declared for the process.
        owners: Distinct owners, sorted.
        mitigations: Distinct mitigations, each with each of its owners, in order of appearance.
        declared: The distinct declarations, in order of appearance.
        nodes: Numbers of the nodes that it occurs on.
        n_occurrences: On how many events it occurs, and the process.
    """

    risk_id: str
    label: str
    category: str
    severity: str
    governance: str
    process: bool
    owners: list[str]
    mitigations: list[str]
    declared: list[Declared]
    nodes: set[int]
    n_occurrences: int


@dataclass
class _Collected:
    """What is known of one risk id so far."""

    declared: dict[Declared, None] = field(default_factory=dict)
    nodes: list[int] = field(default_factory=list)
    process: bool = False

    def sum_up(self) -> RegisteredRisk:
        declared = list(self.declared)
        first = declared[0]
        owners = owners_of(declared)
        pairs = dict.fromkeys((text, risk.owner) for risk in declared if (text := risk.mitigation))
        mitigations = [mitigation for mitigation, _ in pairs]
        return RegisteredRisk(
            risk_id=first.risk_id,
            label=first.label,
            category=first.category,
            severity=severity_of(declared),
            governance="high" if not mitigations else "low" if owners else "medium",
            process=self.process,
            owners=owners,
            mitigations=mitigations,
            declared=declared,
            nodes=set(self.nodes),
            n_occurrences=len(self.nodes) + self.process,
        )


def owners_of(declared: Iterable[Declared]) -> list[str]:
    """Return the distinct owners of declared risks, sorted."""
    return sorted({risk.owner for risk in declared if risk.owner})


def severity_of(declared: Iterable[Declared]) -> str:
    """Return the highest severity of declared risks."""
    return max([risk.severity for risk in declared], key=SEVERITIES.index)


def risk_register(content: Snapshot) -> list[RegisteredRisk]:
    """Return the risks of a run, the least governed first, then the most severe.

    Args:
        content: What was captured; risks of blocks without a step count too.
    """
    register: dict[str, _Collected] = {}

    def entry_of(risk: Declared) -> _Collected:
        entry = register.get(risk.risk_id)
        if entry is None:
            entry = register[risk.risk_id] = _Collected()
        entry.declared[risk] = None
        return entry

    for risk in content.risks:
        entry_of(risk)
    # The events of a block share the tuple of its risks, which is looked at once.
    together: dict[int, tuple[tuple[Declared, ...], list[int]]] = {}
    for event in content.events:
        if event.risks:
            together.setdefault(id(event.risks), (event.risks, []))[1].append(event.child)
    for risks, nodes in together.values():
        # Declared twice around one step, by two blocks, it still occurs on one step.
        for entry in {id(entry): entry for entry in map(entry_of, risks)}.values():
            entry.nodes += nodes
    for risk in content.process_risks:
        entry_of(risk).process = True
    # Among equals the order of first appearance stays.
    return sorted(
        (entry.sum_up() for entry in register.values()),
        key=lambda e: (-_GOVERNANCE.index(e.governance), -SEVERITIES.index(e.severity)),
    )
