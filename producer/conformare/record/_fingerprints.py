"""Fingerprints: what a context does, and which risks it carries, as short hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from conformare.capture._lineage import Event
from conformare.capture._scope import Declared

HASH_DIGITS = 16


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash_of(texts: Sequence[str]) -> str:
    return hashlib.sha256(_canonical(texts).encode()).hexdigest()[:HASH_DIGITS]


def impl_fingerprint(steps: Iterable[Event]) -> tuple[str, int]:
    """Return the hash of the distinct steps of a context, and how many they are.

    Names of frames, layout, the order of keyword arguments, repetition and the order of the steps
    do not count.

    Args:
        steps: The events that make frames inside the context.
    """
    distinct = {_canonical({"op": step.op, "logic": step.logic}) for step in steps}
    return _hash_of(sorted(distinct)), len(distinct)


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
