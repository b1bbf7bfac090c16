"""Recording of writes that have succeeded: where to, in which format, with which columns."""

from __future__ import annotations

from typing import Any

from conformare.capture._locations import last_segment, redacted
from conformare.capture._plans import relations
from conformare.capture._reads import (
    DEFAULT_FORMAT_SETTING,
    UNKNOWN,
    jdbc_location,
    options_of,
    place_of,
)
from conformare.capture._steps import Call
from conformare.capture._store import store
from conformare.capture._untracked import untracked

WRITER = "spark"
LABEL_CHARACTERS = 40

_TABLE_METHODS = {"saveAsTable": "name", "insertInto": "tableName"}


def _argument(call: Call, position: int, name: str) -> Any:
    return call.args[position] if len(call.args) > position else call.kwargs.get(name)


def _location(call: Call) -> str:
    method = call.tracked.method
    if method == "jdbc":
        return jdbc_location(_argument(call, 0, "url"), _argument(call, 1, "table"))
    path = _argument(call, 0, _TABLE_METHODS.get(method, "path"))
    return place_of(options_of(call.owner)) if path is None else redacted(str(path))


def _format(call: Call, frame: Any, location: str) -> str:
    """Return the real format: that of the method, of `format`, of the table or of the session."""
    method = call.tracked.method
    if method == "insertInto":
        with untracked():
            formats = {provider for _, provider in relations(frame.sparkSession.table(location))}
        return next((provider for provider in formats if provider), "table")
    if method not in ("save", "saveAsTable"):
        return method
    said = options_of(call.owner).get("format")
    return said or str(frame.sparkSession.conf.get(DEFAULT_FORMAT_SETTING))


def record_write(call: Call) -> None:
    """Take note of a write through `df.write`."""
    frame = call.owner._df  # noqa: SLF001 - the frame that is written, which Spark shows nowhere else
    location = _location(call)
    name = location if location == UNKNOWN else last_segment(location)
    if call.tracked.method in _TABLE_METHODS:
        name = name.rpartition(".")[2]
    store.add_sink(
        frame,
        location=location,
        format=_format(call, frame, location),
        writer=WRITER,
        label=name[:LABEL_CHARACTERS],
        op=call.tracked.method,
    )
