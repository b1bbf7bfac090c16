"""Which columns and fields inside them are sensitive: by their words, and by the author's marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformare._process_lock import ProcessLock
from conformare.capture._lineage import Field
from conformare.capture.sensitivity._words import tags_of, tags_of_field

_lock = ProcessLock()
# None marks what is not sensitive, whatever its name suggests.
_marks: dict[str, dict[str, Any] | None] = {}


def mark_sensitive(
    *columns: str, tag: str = "manual", category: str = "Manual", severity: str = "high"
) -> None:
    """Mark columns as sensitive wherever they occur, whatever their names suggest.

    If both this and `mark_not_sensitive` mark a column, the later call wins.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
        tag: Short name of the kind of data.
        category: Heading of the tag.
        severity: How severe an exposure is.
    """
    with _lock:
        for column in columns:
            _marks[column] = {
                "tag": tag,
                "category": category,
                "severity": severity,
                "confidence": 1.0,
                "source": "manual",
            }


def mark_not_sensitive(*columns: str) -> None:
    """Mark columns as not sensitive wherever they occur, whatever their names suggest.

    If both this and `mark_sensitive` mark a column, the later call wins.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
    """
    with _lock:
        for column in columns:
            _marks[column] = None


def unmark_sensitive(*columns: str) -> None:
    """Remove the marks of columns, of either kind, so that their names decide again.

    Args:
        columns: Exact names of columns, or of fields inside them: a name alone, or a path such as
            `contact.email`.
    """
    with _lock:
        for column in columns:
            _marks.pop(column, None)


def reset_marks() -> None:
    """Take back every mark."""
    with _lock:
        _marks.clear()


def classify_column(name: str) -> list[dict[str, Any]]:
    """Return the tags that a column's name suggests, ignoring marks.

    Args:
        name: Name of the column, in any style.

    Returns:
        One dict per tag: tag, category, severity, confidence (0 to 1) and source.
    """
    return [
        {
            "tag": tag.name,
            "category": tag.category,
            "severity": tag.severity,
            "confidence": tag.confidence,
            "source": "heuristic",
        }
        for tag in tags_of(str(name))
    ]


def scan_columns(names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the tags of those columns that have any, marks included.

    Args:
        names: Names of columns.

    Returns:
        Name → tags, in the order of the names.
    """
    with _lock:
        marks = dict(_marks)
    tagged: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        tags = classify_column(name)
        if name in marks:
            mark = marks[name]
            tags = [] if mark is None else [*tags, dict(mark)]
        if tags:
            tagged[name] = tags
    return tagged


def sensitive_fields(fields: Iterable[Field]) -> list[Field]:
    """Return those of the fields inside columns that are sensitive, marks included.

    A mark is of a field's path, or of its own name wherever that occurs; the path's counts first.

    Args:
        fields: The fields.
    """
    with _lock:
        marks = dict(_marks)
    return [field for field in fields if _is_sensitive(field, marks)]


def _is_sensitive(field: Field, marks: Mapping[str, dict[str, Any] | None]) -> bool:
    for name in (field.path, ".".join(field.names), field.names[-1]):
        if name in marks:
            return marks[name] is not None
    return bool(tags_of_field(field.names))
