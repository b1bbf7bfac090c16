"""What the author says about a pipeline: contexts, risks, and notes on the process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, TypeAlias

from conformare.capture._scope import Block, Declared, F, Group, Scope, close_all
from conformare.capture._store import store
from conformare.capture.declared._docblock import parse_docblock
from conformare.capture.declared._risks import Risk, resolved_risk, validated_severity


def _said(text: str | None) -> str | None:
    """Return what was said, None when that is nothing."""
    return None if text is None or not str(text).strip() else str(text)


class _Block(Block):
    def entered(self, scope: Scope) -> None:
        store.declare(scope)


class risk(_Block):  # noqa: N801 - the name is fixed by the contract
    """Attach risks to the steps inside: a with-block, a decorator, or part of `describe`."""

    def __init__(
        self,
        *risks: str | Risk,
        severity: str | None = None,
        note: str | None = None,
        mitigation: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Declare risks that share a severity, a note, a mitigation and an owner.

        Args:
            risks: Ids of the catalog or of your own, or entries of the catalog.
            severity: low, medium, high or critical; the catalog's when not said.
            note: What to know about it here.
            mitigation: What is done about it; blank means nothing.
            owner: Who answers for it.

        Raises:
            ValueError: The severity is not a known one.
        """
        given = None if severity is None else validated_severity(severity)
        entries = [resolved_risk(entry) for entry in risks]
        self.risks = tuple(
            Declared(
                risk_id=entry.id,
                label=entry.label,
                category=entry.category,
                severity=given or entry.default_severity,
                note=_said(note),
                mitigation=_said(mitigation),
                owner=_said(owner),
            )
            for entry in entries
        )


Risks: TypeAlias = str | Risk | risk | Iterable[str | Risk | risk] | None


def declared_risks(risks: Risks) -> tuple[Declared, ...]:
    """Return the risks that an argument `risks=` means."""
    if risks is None:
        return ()
    if isinstance(risks, risk):
        return risks.risks
    if isinstance(risks, (str, Risk)):
        return risk(risks).risks
    return tuple(declared for entry in risks for declared in declared_risks(entry))


class describe(_Block):  # noqa: N801 - the name is fixed by the contract
    """Name a part of a pipeline: a with-block, or a decorator of a function."""

    group: Group

    def __init__(
        self,
        label: str,
        purpose: str | None = None,
        risks: Risks = None,
        definition_owner: str | None = None,
        details: str | None = None,
    ) -> None:
        """Make one context. Entering the same instance again continues it.

        As a decorator it also reads the function's docstring: its prose becomes the details, and
        the lines after `Conformare:` (`Purpose:`, `Owner:`, `Risk:`) fill what was not given.

        Args:
            label: Name of the context, by which its runs are compared over time.
            purpose: What it is for.
            risks: A risk id, an entry of the catalog, a `risk(...)`, or several of them.
            definition_owner: Who owns the definition that it implements.
            details: Anything else worth keeping.

        Raises:
            ValueError: A severity is not a known one.
        """
        self.group = Group(str(label), _said(purpose) or "", _said(definition_owner), details)
        self.risks = declared_risks(risks)

    def __call__(self, function: F) -> F:
        """Return the function with its body inside the context."""
        block = parse_docblock(function.__doc__)
        self.group.purpose = self.group.purpose or block.purpose or ""
        self.group.definition_owner = self.group.definition_owner or block.owner
        self.group.details = self.group.details or block.prose
        for line in block.risks:
            self.risks += risk(
                line.risk_id,
                severity=line.severity,
                note=line.note,
                mitigation=line.mitigation,
                owner=line.owner,
            ).risks
        return super().__call__(function)


def describe_process(description: str | None = None, risks: Risks = None) -> None:
    """Describe the process as a whole. A later call changes what it gives.

    Args:
        description: What the process is; None keeps the earlier text.
        risks: Risks of every sink of the process; None keeps them, an empty list clears them.

    Raises:
        ValueError: A severity is not a known one.
    """
    if description is not None:
        store.process_description = description
    if risks is not None:
        store.process_risks = declared_risks(risks)


def groups_registry() -> dict[int, dict[str, Any]]:
    """Return the contexts entered so far, by position from 1, in the order of first entering."""
    return {number: asdict(group) for number, group in enumerate(store.groups, start=1)}


def reset_context() -> None:
    """Forget open blocks, entered contexts, declared risks and the description of the process."""
    close_all()
    store.reset_declarations()
