"""Finding and opening the lake that a command is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conformare_sink.cli._console import err
from conformare_sink.options import CatalogOptions

if TYPE_CHECKING:
    from conformare_sink.lake.lake import Lake
    from conformare_sink.lake.tables import LakeTables


@contextmanager
def lake_tables(root: str, catalog: CatalogOptions | None) -> Iterator[LakeTables]:
    """Start Spark, and end it with the block.

    Args:
        root: Folder of the lake.
        catalog: Where the tables are if they are not folders of the lake.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
    """
    # Spark takes a second to import; a wrong option should not wait for it.
    from conformare_sink.lake.tables import LakeTables
    from conformare_sink.spark.session import build_session

    with err.status("Starting Spark"):
        spark = build_session("conformare", short_lived=True)
    try:
        tables = LakeTables(spark, root, catalog)
        tables.require()
        yield tables
    finally:
        spark.stop()


@contextmanager
def readable_lake(root: str, catalog: CatalogOptions | None) -> Iterator[str | LakeTables]:
    """Find a lake that is only looked at; start Spark for tables in a catalog alone.

    Args:
        root: Folder of the lake.
        catalog: Where the tables are if they are not folders of the lake.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
    """
    if catalog is None:
        yield root
    else:
        with lake_tables(root, catalog) as tables:
            yield tables


@contextmanager
def opened_lake(root: str, catalog: CatalogOptions | None, purpose: str) -> Iterator[Lake]:
    """Start Spark and open a lake as its only writer.

    Args:
        root: Folder of the lake.
        catalog: Where the tables are if they are not folders of the lake.
        purpose: What writes, for another writer that is refused meanwhile.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        LakeBusyError: Another process writes to the lake.
    """
    with lake_tables(root, catalog) as tables:
        from conformare_sink.lake.lake import open_for_writing

        with open_for_writing(tables, purpose) as lake:
            yield lake
