"""`conformare views`: views for those who ask a lake in Spark SQL."""

from __future__ import annotations

import typer

from conformare_schemas.settings.command_line import command_of
from conformare_sink.cli._console import readable_errors, show_line
from conformare_sink.cli._lake import spark_session
from conformare_sink.cli.settings import ViewsCreateSettings
from conformare_sink.lake.tables.catalog.note import read_note
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.lake.views.sources import tables_of_catalog, tables_of_folder
from conformare_sink.lake.views.statements import view_statements
from conformare_sink.options import CatalogOptions, StorageSettings

app = typer.Typer(no_args_is_help=True, help="SQL views of the fleet, for Spark.")


@app.callback()
def views() -> None:
    """SQL views of the fleet, for Spark."""


@app.command()
@command_of(ViewsCreateSettings)
@readable_errors
def create(given: ViewsCreateSettings) -> None:
    """Create the views beside the tables of a schema, or in a schema over a lake's folders."""
    place, print_only = given.tables_at, given.print_only
    folder = _folder(given.lake, given.storage, place)
    if place is None and folder is None:
        raise typer.BadParameter("say where the tables are: --lake, or --schema")
    if place is None and not print_only:
        raise typer.BadParameter("say where the views go: --schema, or print them by --print")
    # Of a lake that is not there is told before Spark starts.
    in_folder = None if folder is None else tables_of_folder(folder)
    if print_only and in_folder is not None:
        statements = view_statements(in_folder, place)
    elif place is not None:
        with spark_session() as spark:
            tables = tables_of_catalog(spark, place) if in_folder is None else in_folder
            statements = view_statements(tables, place)
            if not print_only:
                from conformare_sink.lake.views.create import create_views

                create_views(spark, place, statements)
    if not print_only:
        for name in statements:
            show_line(f"created {name}")
        return
    for line in "\n\n".join(f"{one};" for one in statements.values()).split("\n"):
        show_line(line)


def _folder(
    lake: str | None, storage: StorageSettings, place: CatalogOptions | None
) -> FolderTables | None:
    """Return the tables of a lake that are folders; None where a schema has them."""
    if lake is None:
        return None
    tables = folder_tables(lake, storage)
    has_notes_only = place is not None and read_note(tables.storage) is not None
    return None if has_notes_only else tables
