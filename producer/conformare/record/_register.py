"""The risk register of a run: one entry per risk id, over all the places where it occurs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from conformare.capture._lineage import Snapshot
from conformare.capture.declared._risks import SEVERITIES
from conformare.capture.declared._scope import Declared

_GOVERNANCE = ("low", "medium", "high")


@dataclass
class RegisteredRisk:
    """One risk id and everything that was declared under it."""

    risk_id: str
    label: str
    category: str
    process: bool = False
    declared: dict[Declared, None] = field(default_factory=dict)
    nodes: dict[int, None] = field(default_factory=dict)
    n_occurrences: int = 0

    @property
    def severity(self) -> str:
        """The highest severity that was declared."""
        return max((risk.severity for risk in self.declared), key=SEVERITIES.index)

    @property
    def mitigations(self) -> list[str]:
        """Distinct mitigations, each with each of its owners, in order of appearance."""
        pairs = dict.fromkeys(
            (risk.mitigation, risk.owner) for risk in self.declared if risk.mitigation
        )
        return [mitigation for mitigation, _ in pairs]

    @property
    def owners(self) -> list[str]:
        """Distinct owners, sorted."""
        return owners_of(self.declared)

    @property
    def governance(self) -> str:
        """How open the risk is: low, medium or high."""
        if not self.mitigations:
            return "high"
        return "low" if self.owners else "medium"


def owners_of(declared: Iterable[Declared]) -> list[str]:
    """Return the distinct owners of declared risks, sorted."""
    return sorted({risk.owner for risk in declared if risk.owner})


def risk_register(content: Snapshot) -> list[RegisteredRisk]:
    """Return the risks of a run, the least governed first, then the most severe.

    Args:
        content: What was captured; risks of blocks without a step count too.
    """
    register: dict[str, RegisteredRisk] = {}

    def entry_of(risk: Declared) -> RegisteredRisk:
        entry = register.setdefault(
            risk.risk_id, RegisteredRisk(risk.risk_id, risk.label, risk.category)
        )
        entry.declared.setdefault(risk)
        return entry

    for risk in content.risks:
        entry_of(risk)
    for event in content.events:
        # Declared twice around one step, by two blocks, it still occurs on one step.
        for entry in {id(entry_of(risk)): entry_of(risk) for risk in event.risks}.values():
            entry.n_occurrences += 1
            entry.nodes.setdefault(event.child)
    for risk in content.process_risks:
        entry_of(risk).process = True
    for entry in register.values():
        entry.n_occurrences += entry.process

    # Both sorts keep the order of first appearance among equals.
    by_severity = sorted(register.values(), key=lambda e: -SEVERITIES.index(e.severity))
    return sorted(by_severity, key=lambda e: -_GOVERNANCE.index(e.governance))
