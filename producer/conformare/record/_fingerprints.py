"""Fingerprints: what a context does, and which risks it carries, as short hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii as quoted

from conformare.capture._lineage import Event
from conformare.capture._scope import Declared

HASH_DIGITS = 16

# Canonical JSON: the same value has one text. The parts whose form is known are put together by
# hand, members in the order of their names, for an encoder takes longer to start than to encode.
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def _signature(step: Event) -> str:
    return f'{{"logic":{_canonical(step.logic)},"op":{quoted(step.op)}}}'


def _quoted_or_null(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _risk_text(risk: Declared) -> str:
    return (
        f'{{"id":{quoted(risk.risk_id)},"mitigation":{_quoted_or_null(risk.mitigation)},'
        f'"owner":{_quoted_or_null(risk.owner)},"severity":{quoted(risk.severity)}}}'
    )


def _hash_of(quoted_texts: Iterable[str]) -> str:
    array = f"[{','.join(quoted_texts)}]"
    return hashlib.sha256(array.encode()).hexdigest()[:HASH_DIGITS]


def impl_fingerprint(steps: Iterable[Event]) -> tuple[str, int]:
    """Return the hash of the distinct steps of a context, and how many they are.

    The order of steps counts where one depends on the other: as the set of pairs of distinct steps
    of which the second starts from what the first has made. Names of frames, layout, the order of
    keyword arguments, repetition and the order of independent steps do not count.

    Args:
        steps: The events that make frames inside the context.
    """
    members = [(step, _signature(step)) for step in steps]
    maker_of: dict[int, str] = {}
    for step, signature in members:
        maker_of.setdefault(step.child, signature)
    in_quotes = {signature: quoted(signature) for _, signature in members}
    edges = {
        f"[{in_quotes[maker_of[parent]]},{position},{in_quotes[signature]}]"
        for step, signature in members
        for position, parent in enumerate(step.parents)
        # A step that is fed by itself is a repetition.
        if parent in maker_of and maker_of[parent] != signature
    }
    texts = [
        *[in_quotes[signature] for signature in sorted(in_quotes)],
        *map(quoted, sorted(edges)),
    ]
    return _hash_of(texts), len(in_quotes)


def risk_fingerprint(risks: Iterable[Declared]) -> str:
    """Return the hash of the distinct risks of a context.

    Args:
        risks: The risks attached to it; their notes, labels and categories do not count.
    """
    return _hash_of(map(quoted, sorted({_risk_text(risk) for risk in risks})))
