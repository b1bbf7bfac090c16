"""Writes that leave what is there as it is: `IF NOT EXISTS` in SQL, the mode `ignore`."""

from __future__ import annotations

import re
from typing import Any

from conformare.capture.spark._places import takes_names
from conformare.capture.spark._reads import options_of
from conformare.capture.spark._steps import Call
from conformare.capture.spark._table import Kind
from conformare.capture.spark._writes import opened_by
from conformare.capture.sql._catalogs import is_connect, table_named
from conformare.capture.sql._file_systems import FileSystem
from conformare.capture.sql._names import GLOBAL_VIEWS, is_path, parts_of
from conformare.capture.sql._printed import on_one_line

KINDS = (Kind.SESSION_READ, Kind.WRITE)
"""Kinds of methods that may be told to leave what is there."""

_MAY_LEAVE = re.compile(r"\bnot\s+exists\b", re.IGNORECASE)
_PART = r"(?:`(?:[^`]|``)+`|\w+)"
_CREATES = re.compile(
    rf"create (?P<is_global>global )?(?P<is_temporary>temporary |temp )?(?:table|view) if not exists "
    rf"(?P<name>{_PART}(?:\.{_PART})*)",
    re.IGNORECASE,
)
_MODES = {"save": 2, "saveAsTable": 2, "xml": 2, "parquet": 1, "csv": 1, "json": 1, "orc": 1}
# The first argument of these is no path; into a table that is there, rows go in this mode, too.
_OF_TABLES = ("jdbc", "insertInto")
_LOG = "_delta_log"


def leaves_all_as_it_is(call: Call) -> bool:
    """Whether a call that is about to be made will write nothing, for what it makes is there.

    Args:
        call: The call; it has no result yet.
    """
    return _by_statement(call) if call.tracked.kind is Kind.SESSION_READ else _by_writer(call)


def _by_statement(call: Call) -> bool:
    text = call.argument(0, "sqlQuery")
    if call.tracked.method != "sql" or not _MAY_LEAVE.search(str(text)):
        return False
    said = _CREATES.match(on_one_line(str(text)))
    if said is None:
        return False
    if said["is_temporary"]:
        name = f"{GLOBAL_VIEWS}.{said['name']}" if said["is_global"] else said["name"]
        return bool(call.owner.catalog.tableExists(name))
    return _is_table(call.owner, said["name"])


def _by_writer(call: Call) -> bool:
    opened, method = opened_by(call.owner), call.tracked.method
    options = options_of(call.owner)
    mode = call.argument(_MODES[method], "mode") if method in _MODES else None
    if opened is None or str(mode or options.get("mode")).lower() != "ignore":
        return False
    if method == "saveAsTable":
        return _is_table(opened.frame.sparkSession, str(call.argument(0, "name")))
    format_ = options.get("format", "") if method == "save" else method
    path = call.argument(0, "path") or options.get("path")
    if path is None or method in _OF_TABLES or takes_names(format_) or is_connect(call.owner):
        return False
    return FileSystem().has(f"{path}/{_LOG}" if format_ == "delta" else str(path))


def _is_table(session: Any, name: str) -> bool:
    parts = parts_of(name)
    if is_path(parts) and not is_connect(session):
        return FileSystem().has(parts[1])
    # Its full name: a temporary view of this name is no table.
    return bool(session.catalog.tableExists(table_named(session, name).place.address))
