"""Recording of writes that have succeeded: where to, in which format, with which columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformare.capture._lineage import ColumnsOf, LookUp
from conformare.capture._store import store
from conformare.capture.locations import label_of_path, label_of_table, redacted
from conformare.capture.source._logic import is_data_frame
from conformare.capture.spark._plans import default_format, tables_format
from conformare.capture.spark._reads import jdbc_location, options_of, place_of
from conformare.capture.spark._steps import Call

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


def _location(call: Call) -> str:
    method = call.tracked.method
    if method == "jdbc":
        return jdbc_location(call.argument(0, "url"), call.argument(1, "table"))
    path = call.argument(0, _TABLE_METHODS.get(method, "path"))
    return place_of(options_of(call.owner)) if path is None else redacted(str(path))


def record_write(call: Call) -> None:
    """Take note of a write through `df.write`."""
    opened = opened_by(call.owner)
    if opened is None:
        return
    method, session = call.tracked.method, opened.frame.sparkSession
    location, format_ = _location(call), method
    look_up: LookUp | None = None
    if method == "insertInto":
        format_, look_up = "table", tables_format(session, str(call.argument(0, "tableName")))
    elif method in ("save", "saveAsTable"):
        said = options_of(call.owner).get("format")
        format_, look_up = said or method, None if said else default_format(session)
    label_of = label_of_table if method in _TABLE_METHODS else label_of_path
    add_write(call, opened.frame, location, format_, label_of(location), look_up=look_up)


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
        look_up: Asks for the format once a record is built.
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
    look_up = None if said else tables_format(opened.frame.sparkSession, opened.table)
    table = redacted(opened.table)
    add_write(call, opened.frame, table, said or "table", label_of_table(table), look_up=look_up)


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
    frame, table = opened.frame, redacted(opened.table)
    add_change(
        call,
        "merge",
        opened.logic,
        [frame],
        location=table,
        format_="table",
        writer=WRITER,
        label=label_of_table(table),
        columns=lambda: frame.schema,
        look_up=tables_format(frame.sparkSession, opened.table),
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
        look_up: Asks for the format once a record is built.
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
