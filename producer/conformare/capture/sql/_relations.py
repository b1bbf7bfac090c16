"""Relations of an analysed plan: which table or files each of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from conformare.capture.locations import place_named
from conformare.capture.sql._as_written import PATTERN
from conformare.capture.sql._file_systems import absolute
from conformare.capture.sql._names import (
    SESSION_CATALOG,
    Place,
    database,
    is_path,
    parts_of,
    table,
)
from conformare.capture.sql._plan_tree import Functions, items, value_of
from conformare.capture.sql._statement import FormatOf, Read, read_of_files

# One read of a thousand paths is one source.
_MOST_PATHS = 20
_FORMATS = {"JDBCTable": "jdbc"}


def reads_of(kind: str, leaf: Any, functions: Functions) -> Iterator[Read]:
    """Yield what a leaf of a plan reads; leaves that hold their rows read nothing.

    Args:
        kind: Name of the leaf's class.
        leaf: An object of Java.
        functions: Those of its Java process.
    """
    find = _RELATIONS.get(kind)
    if find is not None:
        yield from find(leaf, functions)


def _logical(leaf: Any, functions: Functions) -> Iterator[Read]:
    kept = value_of(leaf.catalogTable())
    if kept is not None:
        yield catalog_table(kept)
        return
    relation = leaf.relation()
    if functions.files.isInstance(relation):
        yield from _files(relation)
    elif relation.getClass().getSimpleName() == "JDBCRelation":
        options = relation.jdbcOptions()
        told = _properties(options.asConnectionProperties())
        yield Read(database(options.url(), options.tableOrQuery(), told), lambda: "jdbc")


def _properties(told: Any) -> dict[str, str]:
    """Return those properties of a driver that say where its database is."""
    names = str(told.stringPropertyNames()).strip("[]").split(", ")
    return {name: str(told.getProperty(name)) for name in names if place_named(name)}


def _files(relation: Any) -> Iterator[Read]:
    index = relation.location()
    format_ = "delta" if "Tahoe" in index.getClass().getName() else str(relation).lower()
    paths, said = index.rootPaths(), None
    if paths.size() > 1:  # those that a pattern has found are in one place, that of the pattern
        said = value_of(relation.options().get("path"))
    if said is not None and PATTERN.search(said):
        yield read_of_files(absolute(said), format_)
        return
    for path in islice(items(paths), _MOST_PATHS):
        yield read_of_files(path.toString(), format_)


def _hive(leaf: Any, _functions: Functions) -> Iterator[Read]:
    yield catalog_table(leaf.tableMeta())


def _version_2(leaf: Any, _functions: Functions) -> Iterator[Read]:
    catalog, identifier = value_of(leaf.catalog()), value_of(leaf.identifier())
    if catalog is not None and identifier is not None:
        yield identified(catalog, identifier, leaf.table())


def _stream(leaf: Any, _functions: Functions) -> Iterator[Read]:
    source = leaf.dataSource()
    kept = value_of(source.catalogTable())
    if kept is not None:
        yield catalog_table(kept)
        return
    path = value_of(source.options().get("path"))
    if path is not None:
        format_ = str(source.className()).lower()
        yield read_of_files(absolute(str(path)), format_)


_RELATIONS: dict[str, Callable[[Any, Functions], Iterator[Read]]] = {
    "LogicalRelation": _logical,
    "HiveTableRelation": _hive,
    "DataSourceV2Relation": _version_2,
    "StreamingRelationV2": _version_2,
    "StreamingRelation": _stream,
}


def catalog_table(kept: Any) -> Read:
    """Return the table that an entry of the session's catalog describes.

    Args:
        kept: A `CatalogTable`.
    """
    return Read(named(kept.identifier()), lambda: lower(value_of(kept.provider())))


def named(identifier: Any) -> Place:
    """Return the table that a `TableIdentifier` names."""
    parts = parts_of(identifier.quotedString())
    return table((SESSION_CATALOG, *parts) if len(parts) == 2 else parts)  # noqa: PLR2004 - schema and name


def identified(catalog: Any, identifier: Any, found: Any) -> Read:
    """Return the table that a catalog of the second version holds.

    Args:
        catalog: The catalog.
        identifier: The table's name in it.
        found: The table, None if it is only being made.
    """
    parts = (*identifier.namespace(), identifier.name())
    format_of = nothing if found is None else _format_of(found)
    # Other catalogs may have such a name for a table of theirs.
    if catalog.name() == SESSION_CATALOG and is_path(parts):
        return read_of_files(absolute(parts[1]), str(parts[0]).lower())
    return Read(table((catalog.name(), *parts)), format_of)


def _format_of(found: Any) -> FormatOf:
    def format_of() -> str | None:
        provider = found.properties().get("provider")
        return lower(provider) or _FORMATS.get(found.getClass().getSimpleName())

    return format_of


def nothing() -> None:
    """Know no format."""


def lower(text: Any) -> str | None:
    """Return the name of a format as everybody writes it."""
    return None if text is None else str(text).lower()
