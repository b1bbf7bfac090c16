"""Recording of reads: what was read, in which format, through which interface."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from conformare.capture._lineage import Origin
from conformare.capture._locations import last_segment, redacted, without_extension
from conformare.capture._logic import is_data_frame
from conformare.capture._plans import relations
from conformare.capture._profiles import read_done
from conformare.capture._steps import Call, record_step
from conformare.capture._store import store

OPTIONS_KEY = "__conformare_options__"
"""Where a reader or writer carries the options that name a place, in its `__dict__`."""

UNKNOWN = "(unknown)"
MEMORY = "(memory)"
MEMORY_FORMAT = "memory"
DEFAULT_FORMAT_SETTING = "spark.sql.sources.default"

# Options that name a place, the one that wins first.
_PLACES = ("path", "topic", "subscribe", "subscribepattern", "assign", "table")
_WATCHED = frozenset((*_PLACES, "url", "dbtable", "query"))
_COMMENTS = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/\s*)*", re.DOTALL)
_QUERY = re.compile(r"\(*\s*(?:select|with|from|table|values)\b", re.IGNORECASE)


def remember_options(call: Call) -> None:
    """Keep what `format`, `option` and `options` say about a place."""
    said = call.owner.__dict__.setdefault(OPTIONS_KEY, {})
    if call.tracked.method == "format":
        said["format"] = str(_argument(call, 0, "source"))
        return
    if call.tracked.method == "options":
        options = call.kwargs
    else:
        options = {_argument(call, 0, "key"): _argument(call, 1, "value")}
    for name, value in options.items():
        if str(name).lower() in _WATCHED:
            said[str(name).lower()] = str(value)


def options_of(owner: Any) -> dict[str, str]:
    """Return what the options of a reader or writer say about a place."""
    said: dict[str, str] = owner.__dict__.get(OPTIONS_KEY, {})
    return said


def _argument(call: Call, position: int, name: str) -> Any:
    return call.args[position] if len(call.args) > position else call.kwargs.get(name)


def jdbc_location(url: object, table: object) -> str:
    """Return where a table of a database lies, without credentials.

    Args:
        url: JDBC URL.
        table: Name of the table, or a query, which stays out of it.
    """
    text = "" if table is None else str(table)
    name = f"query:{_digest(text)}" if re.search(r"[\s(]", text.strip()) else text
    return f"{redacted(str(url))}#{name}"


def _digest(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def place_of(options: dict[str, str]) -> str:
    """Return the location that the options of a reader or writer name."""
    if "url" in options:
        return jdbc_location(options["url"], options.get("dbtable") or options.get("query"))
    named = [options[name] for name in _PLACES if name in options]
    return redacted(named[0]) if named else UNKNOWN


def _paths(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _paths(value)
        elif isinstance(value, str):
            yield redacted(value)
        elif value is not None:  # an RDD or a frame of lines
            yield MEMORY


def _paths_of(call: Call) -> list[str]:
    """Return the paths that a method of a reader was given."""
    method = call.tracked.method
    if method == "parquet":
        return list(_paths(call.args))
    named = next((call.kwargs[name] for name in ("path", "paths") if name in call.kwargs), None)
    return list(_paths(call.args[:1] or [named]))


def record_read(call: Call) -> None:
    """Take note of a read through `spark.read`."""
    method, options = call.tracked.method, options_of(call.owner)
    origin: Origin | None = None
    if method == "table":
        _record_table(call, "spark.read")
        return
    if method == "jdbc":
        location = jdbc_location(_argument(call, 0, "url"), _argument(call, 1, "table"))
        format_ = "jdbc"
    else:
        location = ", ".join(_paths_of(call)) or place_of(options)
        format_ = options.get("format", "") if method == "load" else method
        if not format_:
            session = call.result.sparkSession
            origin = _default_format(session, location)
    _add(call, location, format_ or "load", "spark.read", _label_of(location), origin)


def _default_format(session: Any, location: str) -> Origin:
    return lambda: (location, str(session.conf.get(DEFAULT_FORMAT_SETTING)))


def _label_of(location: str) -> str | None:
    if location in (MEMORY, UNKNOWN):
        return None
    return without_extension(last_segment(location.split(", ", maxsplit=1)[0]))


def _add(
    call: Call,
    location: str,
    format_: str,
    reader: str,
    label: str | None,
    origin: Origin | None = None,
) -> None:
    number = store.add_source(
        call.result,
        location=location,
        format=format_,
        reader=reader,
        label=label or call.authored().target,
        origin=origin,
    )
    read_done(call.result, number)


def _record_table(call: Call, reader: str) -> None:
    table = redacted(str(_argument(call, 0, "tableName")))
    frame = call.result

    def origin() -> tuple[str, str]:
        formats = {provider for _, provider in relations(frame) if provider}
        return table, formats.pop() if len(formats) == 1 else "table"

    _add(call, table, "table", reader, last_segment(table).rpartition(".")[2], origin)


def _record_sql(call: Call, reader: str) -> None:
    """Take note of a query; statements that are none make no frame worth keeping."""
    if any(is_data_frame(value) for value in call.kwargs.values()):
        record_step(call)
        return
    query = str(_argument(call, 0, "sqlQuery"))
    frame = call.result
    comment = _COMMENTS.match(query)
    if _QUERY.match(query, comment.end() if comment else 0) is None:
        return
    unknown = f"query:{_digest(query)}"

    def origin() -> tuple[str, str]:
        tables = relations(frame)
        formats = {provider for _, provider in tables if provider}
        location = ", ".join(name for name, _ in tables) or unknown
        return location, formats.pop() if len(formats) == 1 else "sql"

    _add(call, unknown, "sql", reader, None, origin)


def _record_memory(call: Call, reader: str) -> None:
    _add(call, MEMORY, MEMORY_FORMAT, reader, None)


def record_session_read(call: Call) -> None:
    """Take note of a frame that the session itself has made."""
    by_method: dict[str, Callable[[Call, str], None]] = {
        "table": _record_table,
        "sql": _record_sql,
    }
    by_method.get(call.tracked.method, _record_memory)(call, f"spark.{call.tracked.method}")
