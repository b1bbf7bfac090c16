"""Fingerprints: what a context does, and which risks it carries, as short hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from conformare.capture._lineage import Event
from conformare.capture.declared._scope import Declared

HASH_DIGITS = 16


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash_of(texts: Sequence[str]) -> str:
    return hashlib.sha256(_canonical(texts).encode()).hexdigest()[:HASH_DIGITS]


def impl_fingerprint(steps: Iterable[Event]) -> tuple[str, int]:
    """Return the hash of the distinct steps of a context, and how many they are.

    The order of steps counts where one depends on the other: as the set of pairs of distinct steps
    of which the second starts from what the first has made. Names of frames, layout, the order of
    keyword arguments, repetition and the order of independent steps do not count.

    Args:
        steps: The events that make frames inside the context.
    """
    members = [(step, _canonical({"op": step.op, "logic": step.logic})) for step in steps]
    maker_of: dict[int, str] = {}
    for step, signature in members:
        maker_of.setdefault(step.child, signature)
    distinct = {signature for _, signature in members}
    edges = {
        _canonical([maker_of[parent], position, signature])
        for step, signature in members
        for position, parent in enumerate(step.parents)
        # A step that is fed by itself is a repetition.
        if parent in maker_of and maker_of[parent] != signature
    }
    return _hash_of([*sorted(distinct), *sorted(edges)]), len(distinct)


def risk_fingerprint(risks: Iterable[Declared]) -> str:
    """Return the hash of the distinct risks of a context.

    Args:
        risks: The risks attached to it; their notes, labels and categories do not count.
    """
    distinct = {
        _canonical(
            {
                "id": risk.risk_id,
                "severity": risk.severity,
                "mitigation": risk.mitigation,
                "owner": risk.owner,
            }
        )
        for risk in risks
    }
    return _hash_of(sorted(distinct))
