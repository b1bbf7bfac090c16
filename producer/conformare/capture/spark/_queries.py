"""Recording of SQL: queries are steps and reads, statements that change tables are writes as well."""

from __future__ import annotations

import ast
import re
import string
from typing import Any

from conformare.capture._lineage import MadeNames
from conformare.capture._reads_told import tell_read
from conformare.capture._store import store
from conformare.capture.checks._profiles import read_done
from conformare.capture.locations import BETWEEN, shown_query
from conformare.capture.naming import names_made_by, remember_script
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.spark._reads import record_memory, record_table
from conformare.capture.spark._steps import Call
from conformare.capture.sql._analysed import analysed
from conformare.capture.sql._catalogs import (
    columns_of,
    format_at,
    format_look_up,
    is_connect,
    origin_of,
)
from conformare.capture.sql._connect import stated
from conformare.capture.sql._printed import on_one_line
from conformare.capture.sql._statement import Statement, Target

READER = "spark.sql"


def record_session_read(call: Call) -> None:
    """Take note of a frame that the session itself has made."""
    method = call.tracked.method
    if method == "table":
        record_table(call, "spark.table")
    elif method == "sql":
        _record_sql(call)
    else:
        record_memory(call)


def _record_sql(call: Call) -> None:
    """Take note of a statement; one that neither reads nor changes data is none."""
    query = str(call.argument(0, "sqlQuery"))
    if _SCRIPT.match(on_one_line(query)):
        remember_script(call.result, query, _values(call))
        return
    if is_connect(call.owner):
        args = call.argument(1, "args")
        values = {name: value for name, value in call.kwargs.items() if name not in _PARAMETERS}
        statement = stated(call.owner, query, args, values, store.views)
    else:
        statement = analysed(call.result, store.views)
    if statement is None:
        return
    if statement.dropped is not None:
        store.name_view(statement.dropped, None)
    if not statement.is_empty:
        _record_statement(call, query, statement)


_PARAMETERS = ("sqlQuery", "args")
_SCRIPT = re.compile(r"begin\b", re.IGNORECASE)


def _record_statement(call: Call, query: str, statement: Statement) -> None:
    frames = _frames(call, query)
    child = call.result if statement.is_query else None
    written = call.authored
    number = store.add_step(
        "sql",
        frames,
        child,
        upstream=statement.links,
        logic={"args": _blind_to_layout(call), "kwargs": written.kwargs},
        label=written.target,
        made_names=None if child is not None else _names_made(call, query, statement),
        place=written.site,
        # A function that is called with one query after another has one place for all of them.
        variant=(tuple(statement.reads), tuple(target.place for target in statement.targets))
        if statement.names_something or frames
        else shown_query(query),
    )
    if number is None:
        return
    reads = statement.reads.values()
    if reads or not (statement.links or frames or not statement.is_query):
        store.add_source(
            number,
            location=BETWEEN.join(statement.reads) or shown_query(query),
            format="sql",
            reader=READER,
            look_up=origin_of(reads) if reads else None,
            place=written.site,
        )
    tell_read(BETWEEN.join(statement.reads))
    for target in statement.targets:
        _record_target(call, number, target)
    if statement.made is not None:
        store.name_view(statement.made, number)
    if child is not None:
        read_done(child, number)


def _names_made(call: Call, query: str, statement: Statement) -> MadeNames:
    """Return who knows the names that Spark has made in a statement without rows."""
    return names_made_by(call.owner, statement.plans, query, _values(call))


def _values(call: Call) -> list[str]:
    """Return what the parameters of a statement stand for, as texts."""
    args = call.argument(1, "args")
    return list(map(str, args.values() if isinstance(args, dict) else args or ()))


def _frames(call: Call, query: str) -> list[Any]:
    """Return the frames that a query names in braces."""
    frames = {name: value for name, value in call.kwargs.items() if is_data_frame(value)}
    if not frames:
        return []
    named = (name or "" for _, name, _, _ in string.Formatter().parse(query))
    return [frames[name] for name in dict.fromkeys(named) if name in frames]


def _blind_to_layout(call: Call) -> list[str]:
    """Return the authored arguments, the text of a query without its line breaks and comments."""
    args = list(call.authored.args)
    try:
        query = ast.literal_eval(args[0]) if args else None
    except (ValueError, SyntaxError):  # an expression
        return args
    if isinstance(query, str):
        args[0] = on_one_line(query)
    return args


def _record_target(call: Call, number: int, target: Target) -> None:
    """Take note of one place that a statement has written to."""
    session, place = call.owner, target.place
    store.add_sink(
        number,
        location=place.location,
        format=place.format or "table",
        writer=READER,
        label=place.label,
        op=target.operation,
        columns=lambda: target.columns_of() or columns_of(session, f"TABLE {place.address}"),
        look_up=format_look_up(lambda: target.format_of() or format_at(session, place)),
        place=call.authored.site,
    )
