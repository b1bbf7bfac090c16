"""From the queries to statements: over which tables, and under which names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from conformare_schemas import OWNER_PROPERTY, TableDefinition, table_identifier
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.options import CatalogOptions


@dataclass(frozen=True)
class View:
    """A view, whose query is in the file of its name."""

    name: str
    comment: str
    reads: tuple[str, ...]
    """Tables and views that its query names."""

    @property
    def query(self) -> str:
        """Its query, over tables of their plain names."""
        return files(__package__).joinpath(f"{self.name}.sql").read_text(encoding="utf-8").strip()


VIEWS: tuple[View, ...] = (
    View(
        "runs_latest",
        "The newest run of each pipeline and environment, and its health.",
        ("runs",),
    ),
    View(
        "drift",
        "A context whose implementation changed from one run to the next, while its risks did not.",
        ("runs", "contexts", "owners", "acknowledgements"),
    ),
    View(
        "owners_now",
        "Who owns what, by the newest run of each pipeline and environment.",
        ("runs_latest", "owners"),
    ),
    View(
        "impact",
        "Which pipeline reads what another one writes, by their newest runs.",
        ("runs_latest", "sources", "sinks"),
    ),
    View(
        "expectations_latest",
        "The expectations of the newest run of each pipeline and environment.",
        ("runs_latest", "expectations"),
    ),
)
"""Every view; each reads only such as stand before it."""


def view_statements(tables: Mapping[str, str], place: CatalogOptions | None) -> dict[str, str]:
    """Return the statement that creates each view, by the view's quoted SQL name.

    Args:
        tables: Quoted SQL name of each table that is there; the others count as empty.
        place: Where the views go; None for such as end with the session that creates them.
    """
    named = table_identifier if place is None else place.identifier
    known = {name: _empty(table) for name, table in LAKE_TABLES.items()}
    known |= {name: f"TABLE {identifier}" for name, identifier in tables.items()}
    known |= {view.name: f"TABLE {named(view.name)}" for view in VIEWS}
    return {
        named(view.name): _statement(view, named(view.name), known, temporary=place is None)
        for view in VIEWS
    }


def _statement(view: View, identifier: str, known: Mapping[str, str], *, temporary: bool) -> str:
    kind = "TEMPORARY VIEW" if temporary else "VIEW"
    # By it the view is known to be ours; a temporary one can have none.
    ours = "" if temporary else f"\nTBLPROPERTIES ('{OWNER_PROPERTY}' = '{view.name}')"
    reads = ",\n".join(f"{name} AS ({known[name]})" for name in view.reads)
    return (
        f"CREATE OR REPLACE {kind} {identifier}\nCOMMENT '{view.comment}'{ours} AS\n"
        f"WITH {reads}\n({view.query})"
    )


def _empty(table: TableDefinition) -> str:
    columns = ", ".join(
        f"CAST(NULL AS {column.sql_type}) AS `{column.name}`" for column in table.columns
    )
    return f"SELECT {columns} WHERE false"
