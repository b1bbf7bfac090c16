"""What a name means in a session: the catalog and the schema that are current at the call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from conformare.capture._lineage import LookUp, Origin
from conformare.capture.locations import BETWEEN, is_query, label_of_table, redacted
from conformare.capture.sql._analysed import analysed
from conformare.capture.sql._dialect import is_installed
from conformare.capture.sql._file_systems import FileSystem, absolute
from conformare.capture.sql._names import (
    GLOBAL_VIEWS,
    SESSION_CATALOG,
    Place,
    is_name,
    is_path,
    parts_of,
    table,
    view_key,
)
from conformare.capture.sql._relations import lower
from conformare.capture.sql._statement import FormatOf, Read, Statement, read_of_files
from conformare.capture.sql._written import written

_DEFAULT_FORMAT = "spark.sql.sources.default"
_CATALOG = "spark.sql.catalog."
_JDBC_CATALOG = "JDBCTableCatalog"
_PROVIDER = "Provider"
_VIEW_TEXT = "View Text"
_VIEW_HOME = "View Catalog and Namespace"
_MOST_VIEWS = 10
# Formats of which a path is one of files, however short it is.
_FILES = frozenset(
    (
        *("", "parquet", "csv", "json", "orc", "text", "xml", "avro", "binaryfile", "image"),
        *("delta", "hudi", "libsvm"),
    )
)
_FOLDER = re.compile(r"[/\\.~]|[A-Za-z][\w+.-]*:")
_DETAILS = "# Detailed Table Information"

# Whether a first part names a catalog, by session: a catalog once configured stays.
_implementations: WeakKeyDictionary[Any, dict[str, str | None]] = WeakKeyDictionary()


def is_connect(value: Any) -> bool:
    """Whether an object of Spark belongs to a Connect session."""
    return type(value).__module__.startswith(("pyspark.sql.connect.", "delta.connect."))


class Names:
    """What names mean in a session at one moment; it is asked once, and only if need be."""

    def __init__(self, session: Any, home: Sequence[str] | None = None, depth: int = 0) -> None:
        """Prepare to ask.

        Args:
            session: The session.
            home: Catalog and schema that are current, where it need not be asked.
            depth: How many views stand around what is named.
        """
        self._session = session
        self._home = home
        self._depth = depth

    def full(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Return the full name of a table.

        Args:
            parts: Its name as it is written.
        """
        if len(parts) > 1 and _implementation_of(self._session, parts[0]) is not None:
            return tuple(parts)
        catalog, *schema = self._current()
        return (catalog, *(() if len(parts) > 1 else schema), *parts)

    def read(self, parts: Sequence[str]) -> Read:
        """Return a table, or files where the name is a format and a path.

        Args:
            parts: Its name as it is written.
        """
        session = self._session
        if is_path(parts) and self._are_files(parts[0]):
            path = parts[1] if is_connect(session) else absolute(parts[1])
            return read_of_files(path, parts[0])
        place = table(parts if parts[0].lower() == GLOBAL_VIEWS else self.full(parts))
        behind = (lambda: _behind(session, place, self._depth)) if is_connect(session) else None
        return Read(place, lambda: format_at(session, place), behind)

    def _are_files(self, first: str) -> bool:
        """Whether a first part is a format: another catalog may have a schema of this name."""
        return first.lower() in _FILES or self._current()[0] == SESSION_CATALOG

    def _current(self) -> Sequence[str]:
        """Return the catalog and the schema that are current."""
        if self._home is None:
            catalog = self._session.catalog
            self._home = (catalog.currentCatalog(), *parts_of(catalog.currentDatabase()))
        return self._home

    def linked(self, parts: Sequence[str], views: Mapping[str, int]) -> int | None:
        """Return the node of the frame that a view stands for, None if there is none.

        Args:
            parts: Name of the view as it is written; a temporary one comes first.
            views: Views that stand for frames, by their keys, with their nodes.
        """
        node = views.get(view_key(parts))
        # Only views that the catalog keeps have three parts.
        if node is None and any(key.count(".") > 1 for key in views) and not is_path(parts):
            node = views.get(view_key(self.full(parts)))
        return node

    def add_read(
        self, statement: Statement, parts: Sequence[str], views: Mapping[str, int]
    ) -> None:
        """Take note of what a name stands for: the frame behind a view, or else a table.

        Args:
            statement: What reads it.
            parts: Its name as it is written.
            views: Views that stand for frames, by their keys, with their nodes.
        """
        node = self.linked(parts, views)
        if node is None:
            statement.add_read(self.read(parts))
        else:
            statement.links[node] = None


def table_named(session: Any, name: object) -> Read:
    """Return the table that a method is given by its name.

    Args:
        session: The session that knows it.
        name: The name, as SQL writes it.
    """
    text = str(name)
    if not is_name(text):  # Spark will not have taken it for one
        place = Place(redacted(text), label_of_table(text))
        return Read(place, lambda: None)
    return Names(session).read(parts_of(text))


def location_in(owner: Any, path: str, format_: str = "") -> str:
    """Return where files lie, the same for whoever reads or writes them.

    Args:
        owner: An object of the session that is given the path.
        path: The path as it is written.
        format_: Their format, in lower case; "" for the usual one.
    """
    (location,) = locations_in(owner, [path], format_)
    return location


def locations_in(owner: Any, paths: Sequence[str], format_: str = "") -> list[str]:
    """Return where files lie; Java is asked once, and only if need be.

    Args:
        owner: An object of the session that is given the paths.
        paths: The paths as they are written.
        format_: Their format, in lower case; "" for the usual one.
    """
    if not is_connect(owner):
        file_system = FileSystem()
        paths = [file_system.absolute(p) if _is_path(p, format_) else p for p in paths]
    return [redacted(path) for path in paths]


def _is_path(text: str, format_: str) -> bool:
    """Whether a text is a path: what another format is given may be a name, a query is none."""
    return not is_query(text) and (format_ in _FILES or _FOLDER.match(text) is not None)


def _implementation_of(session: Any, catalog: str) -> str | None:
    """Return the class of a catalog, None where there is no catalog of this name."""
    known = _implementations.setdefault(session, {})
    if catalog not in known:
        default = "" if catalog.lower() == SESSION_CATALOG else None
        known[catalog] = session.conf.get(f"{_CATALOG}{catalog}", default)
    return known[catalog]


def _behind(session: Any, place: Place, depth: int) -> list[Read]:
    """Return the tables behind a view, the table itself if it is none."""
    said = _described(session, place)
    view = written(said.get(_VIEW_TEXT, "")) if depth < _MOST_VIEWS and is_installed() else None
    if view is None or not view.reads:
        provider = said.get(_PROVIDER)
        return [Read(place, lambda: lower(provider) or _format_of_catalog(session, place))]
    names = Names(session, parts_of(said.get(_VIEW_HOME, "")), depth + 1)
    return [table for parts in view.reads for table in names.read(parts).tables()]


def format_at(session: Any, place: Place) -> str | None:
    """Return the format of a table, None if it has none; it runs no job.

    Args:
        session: A session that knows it.
        place: The table.
    """
    from pyspark.errors import AnalysisException

    if not is_connect(session):
        try:
            found = analysed(session.table(place.address), {}).reads.values()
        except AnalysisException:  # gone by now
            return None
        return common_format(read.format_of() for read in found)
    known = _format_of_catalog(session, place)
    return known or lower(_described(session, place).get(_PROVIDER))


def _format_of_catalog(session: Any, place: Place) -> str | None:
    """Return the format of all tables of a catalog, None where each has its own."""
    catalog = parts_of(place.address)[0]
    return "jdbc" if _JDBC_CATALOG in (_implementation_of(session, catalog) or "") else None


def columns_of(session: Any, query: str) -> tuple[Any, ...]:
    """Return the fields of a query's schema, none where it reads what is gone by now; it runs no job.

    Args:
        session: The session that it is for.
        query: Its text.
    """
    from pyspark.errors import AnalysisException

    try:
        return tuple(session.sql(query).schema)
    except AnalysisException:
        return ()


def _described(session: Any, place: Place) -> dict[str, str]:
    """Return what a catalog says about a table beside its columns."""
    from pyspark.errors import AnalysisException

    try:
        rows = session.sql(f"DESCRIBE TABLE EXTENDED {place.address}").collect()
    except AnalysisException:  # a temporary view that we have not seen, or gone by now
        return {}
    names = [row[0] for row in rows]
    start = names.index(_DETAILS) if _DETAILS in names else len(names)
    return {row[0]: row[1] for row in rows[start:]}


def common_format(formats: Iterable[str | None]) -> str | None:
    """Return the format that all places have whose format is known, None if there is not one."""
    known = {format_ for format_ in formats if format_}
    return known.pop() if len(known) == 1 else None


def origin_of(reads: Iterable[Read]) -> LookUp:
    """Return the look-up of what a source reads: the tables behind its views, and their format.

    Args:
        reads: What it names.
    """
    named = tuple(reads)

    def look_up() -> Origin:
        found = {read.place.location: read for name in named for read in name.tables()}
        format_ = common_format(read.format_of() for read in found.values())
        return Origin(BETWEEN.join(found), format_)

    return look_up


def format_look_up(format_of: FormatOf) -> LookUp:
    """Return the look-up of a format alone.

    Args:
        format_of: Asks for it.
    """
    return lambda: Origin(format=format_of())


def default_format(session: Any) -> LookUp:
    """Return the look-up of the format that a session reads and writes unless told otherwise."""
    return lambda: Origin(format=str(session.conf.get(_DEFAULT_FORMAT)))
