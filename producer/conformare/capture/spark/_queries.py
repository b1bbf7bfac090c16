"""Recording of SQL: queries are steps and reads, statements that change tables are writes as well."""

from __future__ import annotations

import ast
import re
from typing import Any

from conformare.capture._lineage import ColumnsOf, LookUp, Origin
from conformare.capture._store import store
from conformare.capture.checks._profiles import read_done
from conformare.capture.locations import label_of_path, label_of_table, redacted
from conformare.capture.source._logic import is_data_frame
from conformare.capture.spark._plans import (
    common_format,
    explained,
    is_connect,
    parsed_plan,
    parsed_section,
    relations,
    tables_format,
    tables_in,
)
from conformare.capture.spark._reads import digest_of, record_memory, record_table
from conformare.capture.spark._statements import Statement, Target, parsed_statement
from conformare.capture.spark._steps import Call

READER = "spark.sql"
# What is quoted is kept as it is; a comment is as much as a blank.
_LAYOUT = re.compile(
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|(?:--[^\n]*|/\*.*?\*/|\s)+""", re.DOTALL
)
_QUERY = re.compile(r"\(*\s*(?:select|with|from|table|values)\b", re.IGNORECASE)
_COMMAND = re.compile(r"(?:insert|merge|update|delete|create|replace|cache)\b", re.IGNORECASE)
_WRITES_WITHIN = re.compile(r"(?:with|from)\b.*\binsert\b", re.IGNORECASE | re.DOTALL)
_DROPPED_VIEW = re.compile(r"drop\s+view\s+(?:if\s+exists\s+)?([\w.`]+)", re.IGNORECASE)


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
    statement_text = _on_one_line(query)
    if dropped := _DROPPED_VIEW.match(statement_text):
        store.name_view(dropped[1].replace("`", ""), None)
        return
    writes = _COMMAND.match(statement_text) or _WRITES_WITHIN.match(statement_text)
    if not writes and not _QUERY.match(statement_text):
        return
    frames = [value for value in call.kwargs.values() if is_data_frame(value)]
    statement = _statement(call, statement_text, frames, writes=bool(writes))
    changes = statement is not None and bool(statement.targets or statement.view)
    if _COMMAND.match(statement_text) and not changes:
        return  # a definition: CREATE TABLE without a query, CREATE FUNCTION, …
    _record_statement(call, query, statement, frames, writes=changes)


def _statement(call: Call, text: str, frames: list[Any], *, writes: bool) -> Statement | None:
    """Return what a statement says; None where the server would have to be asked for no reason."""
    if not is_connect(call.owner):
        return parsed_statement(parsed_plan(call.result))
    if writes:
        # What a command returns no longer knows the command.
        rows = call.owner.sql(f"EXPLAIN EXTENDED {text}", *call.args[1:], **call.kwargs).collect()
        return parsed_statement(parsed_section(rows[0][0]))
    if frames:
        # Spark has resolved such a query already, with all that its frames are made from.
        tables = tables_in(explained(call.result))
        return Statement(reads=tuple(t for t in tables if _names(text, t.rpartition(".")[2])))
    if any(_names(text, view) for view in store.views):
        # Only now is it certain what the views stand for.
        return parsed_statement(parsed_section(explained(call.result)))
    return None


def _names(text: str, name: str) -> bool:
    """Whether a name occurs in the text of a statement."""
    return re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE) is not None


def _record_statement(
    call: Call, query: str, statement: Statement | None, frames: list[Any], *, writes: bool
) -> None:
    said = statement or Statement()
    known = store.views
    views = [known[name.lower()] for name in said.reads if name.lower() in known]
    tables = [name for name in said.reads if name.lower() not in known]
    child = None if writes else call.result
    written = call.authored
    number = store.add_step(
        "sql",
        frames,
        child,
        upstream=views,
        logic={"args": _blind_to_layout(call), "kwargs": written.kwargs},
        label=written.target,
        place=written.site,
        # A function that is called with one query after another has one place for all of them.
        variant=(said.reads, said.targets) if statement else digest_of(query),
    )
    if number is None:
        return
    if tables or statement is None or not (views or frames or writes):
        session, result = call.owner, call.result
        look_up = tables_format(session, *tables) if views or writes else _relations(result)
        store.add_source(
            number,
            location=redacted(", ".join(tables)) or f"query:{digest_of(query)}",
            format="sql",
            reader=READER,
            look_up=look_up,
            place=written.site,
        )
    for target in said.targets:
        _record_target(call, number, target)
    if said.view is not None:
        store.name_view(said.view, number)
    if child is not None:
        read_done(child, number)


def _on_one_line(query: str) -> str:
    """Return a statement without comments and line breaks."""
    return _LAYOUT.sub(lambda found: found[1] or " ", query).strip()


def _blind_to_layout(call: Call) -> list[str]:
    """Return the authored arguments, the text of a query without its line breaks and comments."""
    args = list(call.authored.args)
    try:
        query = ast.literal_eval(args[0]) if args else None
    except (ValueError, SyntaxError):  # an expression
        return args
    if isinstance(query, str):
        args[0] = _on_one_line(query)
    return args


def _relations(frame: Any) -> LookUp:
    def look_up() -> Origin:
        found = relations(frame)
        return Origin(
            location=", ".join(name for name, _ in found) or None,
            format=common_format(provider for _, provider in found),
        )

    return look_up


def _record_target(call: Call, number: int, target: Target) -> None:
    """Take note of one place that a statement has written to."""
    session = call.owner
    label_of = label_of_path if target.is_path else label_of_table
    store.add_sink(
        number,
        location=redacted(target.name),
        format=target.format or "table",
        writer=READER,
        label=label_of(target.name),
        op=target.operation,
        columns=_columns_of_target(session, target),
        look_up=None if target.format else tables_format(session, target.name),
        place=call.authored.site,
    )


def _columns_of_target(session: Any, target: Target) -> ColumnsOf:
    if target.is_path:
        return lambda: session.read.format(target.format).load(target.name).schema
    return lambda: session.table(target.name).schema
