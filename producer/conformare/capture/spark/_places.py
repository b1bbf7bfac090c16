"""Where the options of a reader or a writer say that something lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformare.capture.locations import BETWEEN, place_named, redacted, shown_options, shown_pairs
from conformare.capture.spark._services import OPTIONS, SERVICES, places_in
from conformare.capture.sql._catalogs import location_in, table_named
from conformare.capture.sql._names import is_name, jdbc_location

UNKNOWN = "(unknown)"

_TABLES = ("dbtable", "query", "table")
_TOPICS = ("topic", "subscribe", "subscribepattern")
_EVENT_HUBS, _HUB = "eventhubs.connectionstring", "eventhubs.name"
_WATCHED = frozenset((*OPTIONS, _EVENT_HUBS, _HUB, *_TABLES, *_TOPICS, "path", "url", "queryname"))
_ICEBERG = "iceberg"
# Connectors to databases that are told the parts of a URL: what stands before the database.
_DATABASES = {
    **dict.fromkeys(("postgresql", "mysql", "mariadb", "redshift"), "/"),
    "sqlserver": ";databaseName=",
}


def is_watched(name: str) -> bool:
    """Whether an option may say where something lies."""
    return name.lower() in _WATCHED or place_named(name) is not None


def takes_names(format_: str) -> bool:
    """Whether a path of a format may be a name: of a table, or one that a service gives."""
    return format_ in SERVICES or format_ == _ICEBERG


def place_of(
    options: Mapping[str, str],
    owner: Any = None,
    session: Any = None,
    format_: str = "",
    mode: str = "read",
) -> str:
    """Return the location that the options of a reader or writer name.

    Args:
        options: What they say, by their names in lower case.
        owner: The reader or writer.
        session: Its session.
        format_: The format that is read or written, in lower case; "" for the usual one.
        mode: read or write.
    """
    if format_ in SERVICES:
        return BETWEEN.join(places_in(SERVICES[format_], options, session, mode))
    in_database = _in_database(options, format_)
    if in_database is not None:
        return in_database
    if format_ == _ICEBERG and is_name(options.get("path", "")):
        return table_named(session, options["path"]).place.location
    if "path" in options:
        return location_in(owner, options["path"], format_)
    topic = next((options[name] for name in _TOPICS if name in options), None)
    return redacted(topic) if topic else shown_options(options, _table(options)) or UNKNOWN


def _table(options: Mapping[str, str]) -> str:
    """Return the table or the query that options name, "" if they name none."""
    return next((options[name] for name in _TABLES if options.get(name)), "")


def _in_database(options: Mapping[str, str], format_: str) -> str | None:
    """Return where a table is whose database has a URL, None if it has none."""
    if url := options.get("url"):
        return jdbc_location(url, _table(options), options)
    if url := _url(options, format_):
        return jdbc_location(url, _table(options))
    if _EVENT_HUBS in options:
        hub = options.get(_HUB)
        return shown_pairs(f"{options[_EVENT_HUBS]};{f'EntityPath={hub}' if hub else ''}")
    return None


def _url(options: Mapping[str, str], format_: str) -> str:
    """Return the URL of a database whose parts are told one by one, "" if it is no such one."""
    if format_ not in _DATABASES or "host" not in options:
        return ""
    port, database = options.get("port"), options.get("database")
    hosts = f"{options['host']}:{port}" if port else options["host"]
    return f"jdbc:{format_}://{hosts}{_DATABASES[format_]}{database or ''}"
