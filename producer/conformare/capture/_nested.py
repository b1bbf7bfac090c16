"""The fields inside the columns of a frame: of structs, and of structs in arrays and maps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from conformare.capture._lineage import Columns, Field
from conformare.capture.source._kinds import is_data_frame

_PLAIN = re.compile(r"\w+")


def columns_of_frame(frame: Any) -> Iterable[Any]:
    """Return the fields of a frame's schema, of a frame of pandas the names of its columns.

    Args:
        frame: A frame; one of Spark analyses its plan, if that has not been done yet.
    """
    return frame.schema if is_data_frame(frame) else map(str, frame.columns)


def columns_in(told: Iterable[Any]) -> Columns:
    """Return the names of columns and the fields inside them.

    Args:
        told: Names, or fields of a schema.
    """
    names: list[str] = []
    nested: dict[Field, None] = {}
    for column in told:
        name = column if isinstance(column, str) else column.name
        names.append(name)
        inside = _inside(getattr(column, "dataType", None), _quoted(name), (name,))
        nested.update(dict.fromkeys(inside))
    return Columns(tuple(names), tuple(nested))


def _inside(data_type: Any, path: str, names: tuple[str, ...]) -> Iterator[Field]:
    """Yield the fields inside a type: arrays are as good as their elements, as in Spark's paths."""
    if hasattr(data_type, "elementType"):
        yield from _inside(data_type.elementType, path, names)
    elif hasattr(data_type, "keyType"):
        yield from _inside(data_type.keyType, f"{path}.key", names)
        yield from _inside(data_type.valueType, f"{path}.value", names)
    else:
        for part in getattr(data_type, "fields", ()):
            field = Field(f"{path}.{_quoted(part.name)}", (*names, part.name))
            yield field
            yield from _inside(part.dataType, *field)


def rooted(field: Field, column: str) -> Field:
    """Return a field as one that lies in a column of another name.

    Args:
        field: The field.
        column: Name of the column.
    """
    below = field.path.removeprefix(_quoted(field.names[0]))
    return Field(f"{_quoted(column)}{below}", (column, *field.names[1:]))


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else "`" + name.replace("`", "``") + "`"
