"""Recording of reads: what was read, in which format, through which interface."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from conformare.capture._lineage import MEMORY, LookUp
from conformare.capture._reads_told import tell_read
from conformare.capture._store import store
from conformare.capture.checks._profiles import read_done
from conformare.capture.locations import (
    BETWEEN,
    last_segment,
    without_extension,
)
from conformare.capture.source._values import text_of
from conformare.capture.spark._places import UNKNOWN, is_watched, place_of, takes_names
from conformare.capture.spark._steps import Call
from conformare.capture.sql._analysed import analysed
from conformare.capture.sql._catalogs import (
    Names,
    default_format,
    is_connect,
    locations_in,
    origin_of,
)
from conformare.capture.sql._names import jdbc_location, parts_of
from conformare.capture.sql._statement import Statement

OPTIONS_KEY = "__conformare_options__"
"""Where a reader or writer carries the options that name a place, in its `__dict__`."""

MEMORY_FORMAT = "memory"

_FORMATS = {"format": "source", "using": "provider"}
_READERS = {"DataFrameReader": "spark.read", "DataStreamReader": "spark.readStream"}


def remember_options(call: Call) -> None:
    """Keep what `format`, `option` and `options` say about a place."""
    said = call.owner.__dict__.setdefault(OPTIONS_KEY, {})
    method = call.tracked.method
    if method in _FORMATS:
        said["format"] = str(call.argument(0, _FORMATS[method])).lower()
        return
    if method == "foreach":
        said["format"] = method
        return
    if method == "mode":
        said[method] = str(call.argument(0, "saveMode"))
        return
    if method == "options":
        options = call.kwargs
    elif method == "queryName":
        options = {"queryname": call.argument(0, "queryName")}
    else:
        options = {call.argument(0, "key"): call.argument(1, "value")}
    said.update(
        (str(name).lower(), str(value))
        for name, value in options.items()
        if value is not None and is_watched(str(name))
    )


def options_of(owner: Any) -> dict[str, str]:
    """Return what the options of a reader or writer say about a place."""
    said: dict[str, str] = owner.__dict__.get(OPTIONS_KEY, {})
    return said


def _given(values: Any) -> Iterator[Any]:
    """Yield what a method was given, in lists or not."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _given(value)
        elif value is not None:
            yield value


def _paths_of(call: Call) -> list[Any]:
    """Return the paths that a method of a reader was given."""
    if call.tracked.method == "parquet":
        return list(_given(call.args))
    named = next((call.kwargs[name] for name in ("path", "paths") if name in call.kwargs), None)
    return list(_given(call.args[:1] or [named]))


def record_read(call: Call) -> None:
    """Take note of a read through `spark.read` or `spark.readStream`."""
    method, options = call.tracked.method, options_of(call.owner)
    reader = _READERS[call.tracked.owner]
    look_up: LookUp | None = None
    if method == "table":
        record_table(call, reader)
        return
    if method == "jdbc":
        url, table = call.argument(0, "url"), call.argument(1, "table")
        told = {**options, **(call.argument(7, "properties") or {})}
        location, format_ = jdbc_location(url, table, told), "jdbc"
    else:
        format_ = options.get("format", "") if method == "load" else method
        location = _location(call, format_)
        if not format_:
            look_up = default_format(call.result.sparkSession)
    add_read(call, location, format_ or "load", reader, _label_of(location, format_), look_up)


def _location(call: Call, format_: str) -> str:
    """Return where that lies which a reader is told to read."""
    owner, session, options = call.owner, call.result.sparkSession, options_of(call.owner)
    paths = _paths_of(call)
    if not paths:
        return place_of(options, owner, session, format_)
    if takes_names(format_):
        return place_of({**options, "path": str(paths[0])}, owner, session, format_)
    located = iter(locations_in(owner, [p for p in paths if isinstance(p, str)], format_))
    # What is no path is an RDD or a frame of lines.
    return BETWEEN.join(next(located) if isinstance(p, str) else MEMORY for p in paths)


def _label_of(location: str, format_: str) -> str | None:
    if location in (MEMORY, UNKNOWN):
        return None
    segment = last_segment(location.split(BETWEEN, maxsplit=1)[0])
    return segment if takes_names(format_) else without_extension(segment)


def add_read(
    call: Call,
    location: str,
    format_: str,
    reader: str,
    label: str | None,
    look_up: LookUp | None = None,
    variant: Hashable = None,
) -> None:
    """Take note of the frame that a call has read, and check it where that is asked for.

    Args:
        call: The call.
        location: What was read, without credentials.
        format_: Format of the data.
        reader: Interface that it was read through.
        label: Name to show for the frame, the variable's if there is none.
        look_up: Asks for location and format, if this is a new read.
        variant: What else tells it from other reads at this place.
    """
    number = store.add_source(
        call.result,
        location=location,
        format=format_,
        reader=reader,
        label=label or call.authored.target,
        look_up=look_up,
        place=call.authored.site,
        variant=variant,
    )
    read_done(call.result, number)
    tell_read(location)


def record_table(call: Call, reader: str) -> None:
    """Take note of a read of a table by name; a view of this process is the frame behind it."""
    said = _named(call)
    if said.links:
        written = call.authored
        number = store.add_step(
            "table",
            (),
            call.result,
            upstream=said.links,
            logic=call.logic,
            label=written.target,
            place=written.site,
        )
        if number is not None:
            read_done(call.result, number)
        return
    # A view that was made before tracking began may hold its rows.
    look_up = origin_of(said.reads.values()) if said.reads else None
    label = next((read.place.label for read in said.reads.values()), None)
    add_read(call, BETWEEN.join(said.reads) or UNKNOWN, "table", reader, label, look_up)


def _named(call: Call) -> Statement:
    """Return what the name of a table stands for."""
    views = store.views
    if not is_connect(call.owner):
        return analysed(call.result, views)
    names = Names(call.result.sparkSession)
    parts = parts_of(str(call.argument(0, "tableName")))
    said = Statement()
    names.add_read(said, parts, views)
    return said


def record_memory(call: Call) -> None:
    """Take note of a frame that was made of values of the process."""
    # A function that makes one frame after another has one place for all of them.
    schema = text_of(call.argument(1, "schema")) if call.tracked.method == "createDataFrame" else ""
    reader = f"spark.{call.tracked.method}"
    add_read(call, MEMORY, MEMORY_FORMAT, reader, None, variant=schema)
