"""What only Spark knows: the tables that a frame reads, and the formats of tables and sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from conformare.capture._lineage import LookUp, Origin
from conformare.capture.locations import redacted

_ANALYSED = "== Analyzed Logical Plan =="
_OPTIMISED = "== Optimized Logical Plan =="
# Only tables are shown with their catalog; aliases and views have no dot.
_TABLE_IN_TEXT = re.compile(r"SubqueryAlias ((?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))+)")
_PROVIDER = "Provider"
_DEFAULT_FORMAT = "spark.sql.sources.default"


def is_connect(value: Any) -> bool:
    """Whether an object of Spark belongs to a Connect session."""
    return type(value).__module__.startswith(("pyspark.sql.connect.", "delta.connect."))


def relations(frame: Any) -> list[tuple[str, str | None]]:
    """Return the tables and files that a frame reads, each with its format if that is known.

    It runs no job. In a classic session it needs no further analysis, in a Connect session it asks
    the server once for the plan's text, which does not name files.

    Args:
        frame: A data frame.
    """
    if is_connect(frame):
        names = tables_in(explained(frame))
        return [(redacted(name), provider_of(frame.sparkSession, name)) for name in names]
    plan = frame._jdf.queryExecution().analyzed()  # noqa: SLF001 - Spark shows plans nowhere else
    found: dict[str, str | None] = {}
    for tree in (plan, *_items(plan.subqueriesAll())):
        for leaf in _items(tree.collectLeaves()):
            for name, provider in _relation(leaf):
                found.setdefault(redacted(name), provider)
    return list(found.items())


def explained(frame: Any) -> str:
    """Return the text of a Connect frame's plans; one call of the server, no job."""
    text: str = frame._explain_string(extended=True)  # noqa: SLF001 - `explain` only prints it
    return text


def tables_in(text: str) -> list[str]:
    """Return the tables that the text of a Connect frame's plans names."""
    analysed = text.partition(_ANALYSED)[2].partition(_OPTIMISED)[0]
    return list(dict.fromkeys(_short(name) for name in _TABLE_IN_TEXT.findall(analysed)))


def parsed_section(text: str) -> str:
    """Return of the text of a frame's plans the one that says what was written."""
    return text.partition(_ANALYSED)[0]


def parsed_plan(frame: Any) -> str:
    """Return the text of the plan of a query or a command, as it was parsed, of a classic session.

    Args:
        frame: What `spark.sql` has returned.
    """
    text: str = frame._jdf.queryExecution().logical().toString()  # noqa: SLF001 - Spark shows plans nowhere else
    return text


def provider_of(session: Any, table: str) -> str | None:
    """Return the format of a table, None for what has none, such as a view; it runs no job.

    Args:
        session: A session that knows the table.
        table: Its name.
    """
    if not is_connect(session):
        providers = [provider for _, provider in relations(session.table(table)) if provider]
        return providers[0] if len(providers) == 1 else None
    described = session.sql(f"DESCRIBE TABLE EXTENDED {table}").collect()
    return next((_format(row[1]) for row in described if row[0] == _PROVIDER), None)


def common_format(formats: Iterable[str | None]) -> str | None:
    """Return the format that all places have whose format is known, None if there is not one."""
    known = {format_ for format_ in formats if format_}
    return known.pop() if len(known) == 1 else None


def tables_format(session: Any, *tables: str) -> LookUp:
    """Return the look-up of the format of tables.

    Args:
        session: A session that knows them.
        tables: Their names.
    """
    return lambda: Origin(format=common_format(provider_of(session, table) for table in tables))


def default_format(session: Any) -> LookUp:
    """Return the look-up of the format that a session reads and writes unless told otherwise."""
    return lambda: Origin(format=str(session.conf.get(_DEFAULT_FORMAT)))


def _items(sequence: Any) -> Iterator[Any]:
    for index in range(sequence.size()):
        yield sequence.apply(index)


def _value(option: Any) -> Any:
    return option.get() if option.isDefined() else None


def _relation(leaf: Any) -> Iterator[tuple[str, str | None]]:
    """Yield what one leaf of a plan reads; leaves that hold their rows read nothing."""
    kind = leaf.getClass().getSimpleName()
    if kind == "LogicalRelation":
        table = _value(leaf.catalogTable())
        if table is not None:
            yield _short(table.qualifiedName()), _format(_value(table.provider()))
        elif leaf.relation().getClass().getSimpleName() == "HadoopFsRelation":
            for path in _items(leaf.relation().location().rootPaths()):
                yield path.toString(), _format(leaf.relation().toString())
    elif kind == "HiveTableRelation":
        yield _short(leaf.tableMeta().qualifiedName()), "hive"
    elif kind in ("DataSourceV2Relation", "StreamingRelationV2"):
        provider = leaf.table().properties().get("provider")
        yield _short(leaf.table().name()), _format(provider)


def _short(name: str) -> str:
    """Leave out the catalog and the database that every session begins with: nobody writes them."""
    return name.replace("`", "").removeprefix("spark_catalog.").removeprefix("default.")


def _format(provider: Any) -> str | None:
    return None if provider is None else str(provider).lower()
