"""Which of our released schemas a registered one is, whatever it says beside what is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastavro.schema import parse_schema, to_parsing_canonical_form

from conformare_schemas._contract import RELEASED_SCHEMAS, message_schema
from conformare_schemas._framing import message_header

_OF_A_VALUE = ("logicalType",)
"""Beside Avro's canonical form, what decides on the meaning of a value."""
LONGEST_TEXT = 2**20
"""Characters; ours have some thousands."""
MOST_BRACKETS = 500
"""Ours have less than a hundred; a parser in C is not to be led deeper."""


def released_header(text: str) -> bytes | None:
    """Return the single-object header of the released schema that a text is.

    Its bytes on the wire and what they mean decide. Comments, aliases, defaults and what generators
    of code add do not.

    Args:
        text: An Avro schema, as JSON; anybody may have written it.

    Returns:
        None where it is none of ours, or no schema at all.
    """
    if len(text) > LONGEST_TEXT or text.count("{") + text.count("[") > MOST_BRACKETS:
        return None
    try:
        return _released().get(_essence(json.loads(text)))
    except Exception:  # noqa: BLE001 - whatever a hostile text makes the parser raise
        return None


@cache
def _released() -> Mapping[str, bytes]:
    return {
        _essence(message_schema(grain, version)): message_header(grain, version)
        for grain, version in RELEASED_SCHEMAS
    }


def _essence(schema: Any) -> str:
    """Return what two schemas have in common that read and mean the same bytes."""
    canonical = to_parsing_canonical_form(parse_schema(schema))
    return f"{canonical} {json.dumps(_meanings(schema))}"


def _meanings(schema: Any) -> Any:
    """Return the logical types of a schema, each where it stands."""
    if isinstance(schema, list):
        return [_meanings(part) for part in schema]
    if not isinstance(schema, dict):
        return None
    own = [schema.get(name) for name in _OF_A_VALUE]
    inner = [_meanings(schema.get(name)) for name in ("type", "items", "values")]
    fields = [_meanings(field) for field in schema.get("fields") or ()]
    # A wrapped primitive without a meaning is the same as its bare name.
    return None if not any([*own, *inner, *fields]) else [own, inner, fields]
