"""The page of the tables: the contract's, and those that lie beside them."""

from __future__ import annotations

from collections.abc import Iterable

from conformare_schemas import (
    EMISSION_COLUMN,
    GRAINS,
    Column,
    TableDefinition,
    acknowledgements_table,
    grain_table,
    key_columns,
)
from conformare_sink.lake.tables.own import PENDING, PURGED, QUARANTINE
from support.reference.markdown import NOTE, code, joined, table

INTRO = """\
A lake consists of Delta tables, so every tool that reads Delta can read it.
**Begin at `runs`.** Once a run is there, all its rows are in the other tables.
Ignore rows without a run there.

Every table of runs begins with the first three of these columns and ends with the last:"""

DECLARED = """\
`source_risks` belongs to no run: it begins with `location` and `ts`, and ends with `emission_id`."""

BESIDE = "The remaining tables hold reviews, and what the sink itself keeps."


def page() -> str:
    """Return the page."""
    runs = grain_table("runs")
    shared = [one for one in runs.columns if one.name in (*key_columns("runs"), EMISSION_COLUMN)]
    return joined(
        (
            "# Tables",
            NOTE,
            INTRO,
            _columns(shared),
            DECLARED,
            *(part for grain in GRAINS for part in _grain(grain)),
            BESIDE,
            *(
                part
                for one in (acknowledgements_table(), PENDING, QUARANTINE, PURGED)
                for part in _table(one, one.columns)
            ),
        )
    )


def _grain(grain: str) -> tuple[str, ...]:
    definition = grain_table(grain)
    shared = {*key_columns(grain), EMISSION_COLUMN}
    own = [column for column in definition.columns if column.name not in shared]
    return _table(definition, own)


def _table(definition: TableDefinition, columns: Iterable[Column]) -> tuple[str, ...]:
    return f"## {definition.name}", definition.comment, _columns(columns)


def _columns(columns: Iterable[Column]) -> str:
    return table(
        ("column", "type", "description"),
        [(code(one.name), one.sql_type.lower(), one.comment) for one in columns],
    )
