"""Recording of Delta's own interface: tables opened by name or path, merged, updated, deleted from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from conformare.capture._store import store
from conformare.capture.locations import label_of_path
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.spark._reads import add_read
from conformare.capture.spark._steps import Call
from conformare.capture.spark._writes import add_change
from conformare.capture.sql._analysed import analysed
from conformare.capture.sql._catalogs import is_connect, location_in, table_named
from conformare.capture.sql._names import Place

TABLE_KEY = "__conformare_delta_table__"
"""Where a table of Delta carries what it was opened by, in its `__dict__`."""

FORMAT = "delta"
_PATH = re.compile(r"/|[A-Za-z][\w+.-]*:/")
INTERFACE = "DeltaTable"


@dataclass(frozen=True)
class _Opened:
    """A table of Delta, and the merge into it that is being put together.

    Attributes:
        table: The table, for its columns.
        location: Its name or path, without credentials.
        label: What its sinks are called.
        source: The frame that is merged into it.
        logic: What was written at the merge and its clauses.
    """

    table: Any
    location: str
    label: str
    source: Any = None
    logic: tuple[dict[str, Any], ...] = ()


def _opened(owner: Any) -> _Opened | None:
    opened = owner.__dict__.get(TABLE_KEY)
    if isinstance(opened, _Opened):
        return opened
    if type(owner).__name__ != "DeltaTable" or is_connect(owner):
        return None
    # A builder or a conversion has made it: what it reads says which table it is.
    place = next(iter(analysed(owner.toDF(), {}).reads.values())).place
    return _Opened(owner, place.location, place.label)


def remember_table(call: Call) -> None:
    """Keep what a table was opened by."""
    if call.tracked.method == "forPath":
        location = location_in(call.result, str(call.argument(1, "path")))
        label = label_of_path(location)
    else:
        name = call.argument(1, "tableOrViewName")
        place = table_named(call.argument(0, "sparkSession"), name).place
        location, label = place.location, place.label
    call.result.__dict__[TABLE_KEY] = _Opened(call.result, location, label)


def pass_on_table(call: Call) -> None:
    """Let the table of an object be that of the object made from it."""
    opened = _opened(call.owner)
    if opened is None:
        return
    method = call.tracked.method
    if method == "merge":
        source = call.argument(0, "source")
        opened = replace(opened, source=source, logic=(call.logic,))
    elif method != "alias":
        opened = replace(opened, logic=(*opened.logic, {"clause": method, **call.logic}))
    call.result.__dict__[TABLE_KEY] = opened


def record_delta_read(call: Call) -> None:
    """Take note of a table of Delta that is read as a frame."""
    opened = _opened(call.owner)
    if opened is not None:
        add_read(call, opened.location, FORMAT, INTERFACE, opened.label)


def record_delta_write(call: Call) -> None:
    """Take note of an update, a deletion or a return to an older version."""
    opened = _opened(call.owner)
    if opened is not None:
        _record(call, replace(opened, logic=(call.logic,)), call.tracked.operation)


def record_delta_merge(call: Call) -> None:
    """Take note of a merge."""
    opened = _opened(call.owner)
    if opened is not None:
        _record(call, opened, "merge")


def record_delta_clone(call: Call) -> None:
    """Take note of a table that was cloned: it is read, and the clone is made."""
    opened = _opened(call.owner)
    if opened is None:
        return
    position = 0 if call.tracked.method == "clone" else 1
    target = _at(call.owner.toDF().sparkSession, str(call.argument(position, "target")))
    operation, place = call.tracked.operation, call.authored.site
    number = store.add_step(operation, [], None, logic=call.logic, place=place)
    if number is None:
        return
    store.add_source(number, location=opened.location, format=FORMAT, reader=INTERFACE, place=place)
    store.add_sink(
        number,
        location=target.location,
        format=FORMAT,
        writer=INTERFACE,
        label=target.label,
        op=operation,
        columns=lambda: opened.table.toDF().schema,
        place=place,
    )


def _at(session: Any, target: str) -> Place:
    """Return where a clone is: Delta takes an absolute path, or the name of a table."""
    if _PATH.match(target):
        location = location_in(session, target, FORMAT)
        return Place(location, label_of_path(location))
    return table_named(session, target).place


def _record(call: Call, opened: _Opened, op: str) -> None:
    source = opened.source
    sources = [source] if is_data_frame(source) else []
    add_change(
        call,
        op,
        opened.logic,
        sources,
        location=opened.location,
        format_=FORMAT,
        writer=INTERFACE,
        label=opened.label,
        columns=lambda: (source if sources else opened.table.toDF()).schema,
    )
