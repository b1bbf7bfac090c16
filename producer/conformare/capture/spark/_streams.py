"""Recording of streaming writes, and of the functions that Spark calls with each micro-batch."""

from __future__ import annotations

import functools
from typing import Any

from conformare._guard import guard
from conformare.capture._inherited import Carried, what_is_open
from conformare.capture._scope import Contexts, current_scope, repeated
from conformare.capture._store import store
from conformare.capture.locations import label_of_path
from conformare.capture.spark._places import UNKNOWN
from conformare.capture.spark._reads import options_of
from conformare.capture.spark._steps import Call
from conformare.capture.spark._writes import add_write, location_of, opened_by
from conformare.capture.sql._catalogs import (
    default_format,
    is_connect,
    table_named,
)
from conformare.capture.sql._names import parts_of, view_key

STREAM_WRITER = "spark.writeStream"
BATCH_KEY = "__conformare_batch_function__"
"""Marks a writer whose batches go to a function, in its `__dict__`."""

# Formats that write to no place of their own.
_PLACELESS = ("console", "noop", "foreach")


def tracked_batch_function(writer: Any, function: Any) -> Any:
    """Return a function for `foreachBatch` that records what the given one does.

    The micro-batches of a stream are one frame, the stream's, and the blocks that are open where
    the function is handed over are open while it runs. However often it runs, its steps, contexts
    and sinks are recorded once.

    Args:
        writer: The streaming writer.
        function: What the user gave it; returned as it is where the batches run elsewhere.
    """
    writer.__dict__[BATCH_KEY] = True
    opened = opened_by(writer)
    if opened is None or is_connect(writer) or not callable(function):
        return function
    scope = current_scope()
    contexts: Contexts = {}
    frame = opened.frame

    def run(batch: Any, number: int) -> None:
        with repeated(scope, contexts):
            function(batch, number)

    inside = Carried(run, what_is_open())

    @functools.wraps(function)
    def batch_function(batch: Any, number: int) -> None:
        with guard:
            store.stand_for(batch, store.node_for(frame))
        inside(batch, number)

    return batch_function


def record_stream_write(call: Call) -> None:
    """Take note of a stream that has been started."""
    opened = opened_by(call.owner)
    if opened is None:
        return
    method, options = call.tracked.method, options_of(call.owner)
    if call.owner.__dict__.get(BATCH_KEY):
        if is_connect(call.owner):  # what the function does there happens in another process
            add_write(
                call,
                opened.frame,
                "(foreachBatch)",
                "foreachBatch",
                "(foreachBatch)",
                writer=STREAM_WRITER,
            )
        return
    session, look_up = opened.frame.sparkSession, None
    format_ = options.get("format")
    if method == "toTable":
        table = table_named(session, call.argument(0, "tableName")).place
        location, label = table.location, table.label
    else:
        location = _location(call, session, options, format_)
        label = label_of_path(location)
        if format_ == "memory":  # a view of what has arrived
            store.name_view(view_key(parts_of(location)), store.node_for(opened.frame))
    if format_ is None:
        look_up = default_format(session)
    add_write(
        call,
        opened.frame,
        location,
        format_ or "stream",
        label,
        writer=STREAM_WRITER,
        look_up=look_up,
    )


def _location(call: Call, session: Any, options: dict[str, str], format_: str | None) -> str:
    if format_ in _PLACELESS:
        return f"({format_})"
    if format_ == "memory":
        return str(call.kwargs.get("queryName") or options.get("queryname") or UNKNOWN)
    return location_of(call, session, format_ or "")
