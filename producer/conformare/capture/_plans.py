"""What only the analysed plan of a frame knows: the tables that it reads, and their format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformare.capture._locations import redacted


def relations(frame: Any) -> list[tuple[str, str | None]]:
    """Return the tables and files that a frame reads, each with its format if that is known.

    It runs no job and, for a frame that exists, no further analysis.

    Args:
        frame: A data frame of a classic session.
    """
    plan = frame._jdf.queryExecution().analyzed()  # noqa: SLF001 - Spark shows plans nowhere else
    found: dict[str, str | None] = {}
    for tree in (plan, *_items(plan.subqueriesAll())):
        for leaf in _items(tree.collectLeaves()):
            for name, provider in _relation(leaf):
                found.setdefault(redacted(name), provider)
    return list(found.items())


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
        elif hasattr(leaf.relation(), "location"):
            for path in _items(leaf.relation().location().rootPaths()):
                yield path.toString(), _format(leaf.relation().toString())
    elif kind == "HiveTableRelation":
        yield _short(leaf.tableMeta().qualifiedName()), "hive"
    elif kind == "DataSourceV2Relation":
        provider = leaf.table().properties().get("provider")
        yield _short(leaf.table().name()), _format(provider)


def _short(name: str) -> str:
    """Leave out the catalog that every session has."""
    return name.replace("`", "").removeprefix("spark_catalog.")


def _format(provider: Any) -> str | None:
    return None if provider is None else str(provider).lower()
