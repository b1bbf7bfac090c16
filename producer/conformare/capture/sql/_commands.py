"""Commands of an analysed plan: what each of them changes, and where its query is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from conformare.capture.sql._file_systems import absolute
from conformare.capture.sql._names import GLOBAL_VIEWS, is_path, parts_of, table, view_key
from conformare.capture.sql._plan_tree import Functions, value_of
from conformare.capture.sql._relations import (
    catalog_table,
    identified,
    lower,
    named,
    nothing,
    reads_of,
)
from conformare.capture.sql._statement import Read, Target, read_of_files

Find = Callable[[Any, Functions], Read]


@dataclass(frozen=True)
class Write:
    """How a kind of command writes.

    Attributes:
        operation: What it does to its target; empty where the command itself says it.
        find: Finds its target.
        columns: Methods of it whose results have the columns that it writes.
        reads: Methods of it that return the plans that it reads.
        source: Finds what it reads without a plan.
    """

    operation: str
    find: Find
    columns: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    source: Find | None = None

    def target(self, command: Any, functions: Functions) -> Target:
        """Return what a command of this kind changes.

        Args:
            command: An object of Java.
            functions: Those of its Java process.
        """
        read = self.find(command, functions)

        def columns_of() -> tuple[Any, ...]:
            schemas = (schema for name in self.columns for schema in _schemas(command, name))
            fields = (field for schema in schemas for field in _fields(schema))
            return tuple({field.name: field for field in fields}.values())

        operation = self.operation or command.operation().command().toString().lower()
        return Target(read.place, operation, read.format_of, columns_of)

    def is_definition(self, command: Any) -> bool:
        """Whether a command makes a table like another, and takes none of its rows."""
        return self.source is not None and not command.query().isDefined()

    @property
    def rewrites_target(self) -> bool:
        """Whether its query reads the rows that it changes, which is no read of the author's."""
        return not self.operation


def _schemas(command: Any, method: str) -> Iterator[Any]:
    """Yield the schema of what a method returns, which may be the schema itself, or nothing."""
    found = getattr(command, method)()
    if method in _OPTIONAL:
        found = value_of(found)
    if found is not None:
        yield found if method == _MIGRATED else found.schema()


def _fields(schema: Any) -> Iterator[Any]:
    """Yield the fields of a schema, in one call of Java however wide it is."""
    from pyspark.sql.types import StructType

    yield from StructType.fromJson(json.loads(schema.json()))


_MIGRATED = "migratedSchema"
_OPTIONAL = ("catalogTable", _MIGRATED)


def _relation(method: str, command: Any, functions: Functions) -> Read:
    """Find a target that is a relation, or the first relation of a plan."""
    leaf = getattr(command, method)().collectLeaves().apply(0)
    kind = leaf.getClass().getSimpleName()
    found = next(reads_of(kind, leaf, functions), None)
    if found is None:
        raise LookupError(f"no table or files are known of a {kind}")
    return found


def _entry(method: str, command: Any, _functions: Functions) -> Read:
    """Find a target that is an entry of the session's catalog."""
    return catalog_table(getattr(command, method)())


def _identifier(method: str, command: Any, _functions: Functions) -> Read:
    """Find a target of which there is a name only."""
    return Read(named(getattr(command, method)()), nothing)


def _files(command: Any, _functions: Functions) -> Read:
    kept = value_of(command.catalogTable())
    if kept is not None:
        return catalog_table(kept)
    path, format_ = command.outputPath().toString(), str(command.fileFormat()).lower()
    return read_of_files(path, format_)


def _folder(command: Any, _functions: Functions) -> Read:
    path = unquote(command.storage().locationUri().get().toString())
    return read_of_files(absolute(path), str(command.provider()).lower())


def _new(command: Any, _functions: Functions) -> Read:
    resolved, spec = command.name(), command.tableSpec()
    found = identified(resolved.catalog(), resolved.identifier(), None)
    if found.place.format:
        return found
    return Read(found.place, lambda: lower(value_of(spec.provider())))


def _child(command: Any, _functions: Functions) -> Read:
    resolved = command.child()
    return identified(resolved.catalog(), resolved.identifier(), resolved.table())


def _restored(command: Any, _functions: Functions) -> Read:
    return _delta_table(command.sourceTable().name())


def _defined(command: Any, _functions: Functions) -> Read:
    """Find a table, or a format and a path, that Delta is to make."""
    name = command.table().identifier().quotedString()
    if is_path(parts_of(name)):
        return _delta_table(name)
    return catalog_table(command.table())


def _cloned(command: Any, _functions: Functions) -> Read:
    return _delta_table(command.query().get().sourceTable().name())


def _delta_table(name: str) -> Read:
    """Return a table, or a format and a path, that Delta itself names."""
    parts = parts_of(name)
    if is_path(parts):
        return read_of_files(absolute(parts[1]), parts[0])
    return Read(table(parts), lambda: "delta")


_QUERY = ("query",)
_APPEND = Write("insert", partial(_relation, "table"), ("table", "query"), _QUERY)
# UPDATE, DELETE and MERGE of tables whose catalog leaves them to Spark, such as Iceberg's.
_ROWS = Write("", partial(_relation, "originalTable"), ("originalTable",), _QUERY)

WRITES: dict[str, Write] = {
    "AppendData": _APPEND,
    "OverwriteByExpression": _APPEND,
    "OverwritePartitionsDynamic": _APPEND,
    "DeltaDynamicPartitionOverwriteCommand": _APPEND,
    "InsertIntoHadoopFsRelationCommand": Write("insert", _files, ("catalogTable", "query"), _QUERY),
    "InsertIntoDataSourceCommand": Write(
        "insert", partial(_relation, "logicalRelation"), ("logicalRelation",), _QUERY
    ),
    "InsertIntoHiveTable": Write("insert", partial(_entry, "table"), ("table",), _QUERY),
    "InsertIntoDataSourceDirCommand": Write("insert", _folder, _QUERY, _QUERY),
    "CreateTableAsSelect": Write("create", _new, _QUERY, _QUERY),
    "ReplaceTableAsSelect": Write("replace", _new, _QUERY, _QUERY),
    "CreateDataSourceTableAsSelectCommand": Write(
        "create", partial(_entry, "table"), _QUERY, _QUERY
    ),
    "CreateHiveTableAsSelectCommand": Write("create", partial(_entry, "tableDesc"), _QUERY, _QUERY),
    "MergeIntoCommand": Write(
        "merge", partial(_relation, "target"), ("target", _MIGRATED), ("source",)
    ),
    "UpdateCommand": Write("update", partial(_relation, "target"), ("target",)),
    "DeleteCommand": Write("delete", partial(_relation, "target"), ("target",)),
    "ReplaceData": _ROWS,
    "WriteDelta": _ROWS,
    "DeleteFromTable": Write("delete", partial(_relation, "table"), ("table",)),
    "TruncateTableCommand": Write("truncate", partial(_identifier, "tableName")),
    "TruncateDeltaTableCommand": Write("truncate", _child, ("child",)),
    "TruncateTable": Write("truncate", _child, ("child",)),
    "LoadDataCommand": Write("load", partial(_identifier, "table")),
    "RestoreTableCommand": Write("restore", _restored),
    "CreateDeltaTableCommand": Write("create", _defined, ("table",), source=_cloned),
}
"""Commands that change tables or files, by the names of their classes."""

VIEWS = {
    "CreateViewCommand": ("name", "plan"),
    "AlterViewAsCommand": ("name", "query"),
    "CacheTableAsSelect": ("tempViewName", "plan"),
}
"""Commands that make a view of a query: the methods that return its name and its plan."""

DROPPED_VIEWS = {
    "CreateTempViewUsing": "tableIdent",
    "DropTempViewCommand": "ident",
    "DropTableCommand": "tableName",
}
"""Commands after which a view is no frame's any longer: the method that returns its name."""

_IS_GLOBAL: dict[str, Callable[[Any], bool]] = {
    "CreateViewCommand": lambda command: command.viewType().toString() == "GlobalTempView",
    "CreateTempViewUsing": lambda command: bool(getattr(command, "global")()),
}


def key_of_view(kind: str, command: Any) -> str:
    """Return the key of the view that a command makes or drops.

    Args:
        kind: Name of the command's class.
        command: An object of Java.
    """
    name = getattr(command, VIEWS[kind][0] if kind in VIEWS else DROPPED_VIEWS[kind])()
    if isinstance(name, str):
        return view_key((name,))
    if kind == "DropTempViewCommand":
        return view_key((*name.namespace(), name.name()))
    parts = parts_of(name.quotedString())
    is_global = kind in _IS_GLOBAL and len(parts) == 1 and _IS_GLOBAL[kind](command)
    return view_key((GLOBAL_VIEWS, *parts) if is_global else parts)
