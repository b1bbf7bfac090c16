"""Recording of writes that have succeeded: where to, in which format, with which columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformare.capture._lineage import ColumnsOf, LookUp
from conformare.capture._store import store
from conformare.capture.locations import label_of_path
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.spark._places import place_of
from conformare.capture.spark._reads import options_of
from conformare.capture.spark._steps import Call
from conformare.capture.sql._catalogs import (
    default_format,
    format_look_up,
    table_named,
)
from conformare.capture.sql._names import jdbc_location

WRITER = "spark"
OPENED_KEY = "__conformare_opened__"
"""Where a writer carries the frame that it writes, in its `__dict__`."""

_TABLE_METHODS = {"saveAsTable": "name", "insertInto": "tableName"}


@dataclass(frozen=True)
class Opened:
    """A write that has been begun.

    Attributes:
        frame: The frame that is written.
        table: The table that it goes to, where that has been said already.
        logic: What was written at the call, and at the clauses that followed.
    """

    frame: Any
    table: str = ""
    logic: list[dict[str, Any]] = field(default_factory=list)


def remember_opened(call: Call) -> None:
    """Keep which frame a writer writes: a writer of Connect holds a plan, not the frame."""
    method = call.tracked.method
    table = str(call.argument(0, "table")) if method in ("writeTo", "mergeInto") else ""
    logic = [call.logic] if method == "mergeInto" else []
    call.result.__dict__[OPENED_KEY] = Opened(call.owner, table, logic)


def opened_by(writer: Any) -> Opened | None:
    """Return the write that a writer is for, None if it was begun before tracking was."""
    opened = writer.__dict__.get(OPENED_KEY)
    if isinstance(opened, Opened):
        return opened
    frame = writer.__dict__.get("_df")
    return Opened(frame) if is_data_frame(frame) else None


def location_of(call: Call, session: Any, format_: str) -> str:
    """Return where a writer writes to.

    Args:
        call: The call that writes.
        session: The session of the frame.
        format_: The format that is written, in lower case; "" for the usual one.
    """
    options, path = options_of(call.owner), call.argument(0, "path")
    said = options if path is None else {**options, "path": str(path)}
    return place_of(said, call.owner, session, format_, "write")


def record_write(call: Call) -> None:
    """Take note of a write through `df.write`."""
    opened = opened_by(call.owner)
    if opened is None:
        return
    method, session = call.tracked.method, opened.frame.sparkSession
    said = options_of(call.owner).get("format")
    format_, look_up = method, None
    if method in ("save", "saveAsTable"):
        format_, look_up = said or method, None if said else default_format(session)
    if method in _TABLE_METHODS:
        table = table_named(session, call.argument(0, _TABLE_METHODS[method]))
        location, label = table.place.location, table.place.label
        if method == "insertInto" or table.place.is_elsewhere or not said:
            format_, look_up = "table", format_look_up(table.format_of)
    elif method == "jdbc":
        told = {**options_of(call.owner), **(call.argument(3, "properties") or {})}
        location = jdbc_location(call.argument(0, "url"), call.argument(1, "table"), told)
        label = label_of_path(location)
    else:
        location = location_of(call, session, said or "" if method == "save" else method)
        label = label_of_path(location)
    add_write(call, opened.frame, location, format_, label, look_up=look_up)


def add_write(
    call: Call,
    frame: Any,
    location: str,
    format_: str,
    label: str,
    *,
    writer: str = WRITER,
    look_up: LookUp | None = None,
) -> None:
    """Take note of a frame that was written.

    Args:
        call: The call that wrote it.
        frame: The frame.
        location: Where to, without credentials.
        format_: Format of the data.
        label: What the sink is called.
        writer: Interface that it was written through.
        look_up: Asks for the format, if this is a new write.
    """
    store.add_sink(
        frame,
        location=location,
        format=format_,
        writer=writer,
        label=label,
        op=call.tracked.method,
        look_up=look_up,
        place=call.authored.site,
    )


def record_write_to(call: Call) -> None:
    """Take note of a write through `df.writeTo`."""
    opened = opened_by(call.owner)
    if opened is None:
        return
    said = options_of(call.owner).get("format")
    table = table_named(opened.frame.sparkSession, opened.table)
    look_up = None if said else format_look_up(table.format_of)
    location, label = table.place.location, table.place.label
    add_write(call, opened.frame, location, said or "table", label, look_up=look_up)


def remember_clause(call: Call) -> None:
    """Keep what a clause of `df.mergeInto` says: all clauses belong to one writer."""
    # What `whenMatched` returns knows the writer that it belongs to.
    opened = opened_by(call.owner.__dict__.get("writer", call.owner))
    if opened is not None:
        opened.logic.append({"clause": call.tracked.method, **call.logic})


def record_merge_into(call: Call) -> None:
    """Take note of a merge through `df.mergeInto`."""
    opened = opened_by(call.owner)
    if opened is None:
        return
    frame, table = opened.frame, table_named(opened.frame.sparkSession, opened.table)
    add_change(
        call,
        "merge",
        opened.logic,
        [frame],
        location=table.place.location,
        format_="table",
        writer=WRITER,
        label=table.place.label,
        columns=lambda: frame.schema,
        look_up=format_look_up(table.format_of),
    )


def add_change(
    call: Call,
    op: str,
    clauses: Iterable[Mapping[str, Any]],
    sources: list[Any],
    *,
    location: str,
    format_: str,
    writer: str,
    label: str,
    columns: ColumnsOf,
    look_up: LookUp | None = None,
) -> None:
    """Take note of a table that was changed in place: a step, and the write of its result.

    Args:
        call: The call that changed it.
        op: merge, update or delete.
        clauses: What was written at the call and at those that led to it.
        sources: Frames that it was changed by.
        location: The table, without credentials.
        format_: Format of the data.
        writer: Interface that it was changed through.
        label: What the sink is called.
        columns: Asks for the columns that were written.
        look_up: Asks for the format, if this is a new write.
    """
    place = call.authored.site
    changed = store.add_step(op, sources, None, logic={"clauses": list(clauses)}, place=place)
    if changed is None:
        return
    store.add_sink(
        changed,
        location=location,
        format=format_,
        writer=writer,
        label=label,
        op=op,
        columns=columns,
        look_up=look_up,
        place=place,
    )
