"""Finding and opening the lake that a command is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conformare_sink.cli._console import waiting
from conformare_sink.cli.settings import LakeSettings
from conformare_sink.lake.tables.places import catalog_tables, folder_tables
from conformare_sink.lake.tables.tables import require_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from conformare_sink.lake.lake import Lake
    from conformare_sink.lake.tables.tables import LakeTables


@contextmanager
def spark_session() -> Iterator[SparkSession]:
    """Start Spark, and end it with the block."""
    # It takes a second to import; a wrong option should not wait for it.
    from conformare_sink.spark.session import build_session

    with waiting("Starting Spark"):
        spark = build_session("conformare", short_lived=True)
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def found_lake(given: LakeSettings) -> Iterator[LakeTables]:
    """Find a lake; for tables in a catalog alone, Spark is started, and ended with the block.

    Args:
        given: Where it is.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        StorageError: The store refuses.
    """
    catalog = given.tables_at
    if catalog is None:
        tables = folder_tables(given.lake, given.storage)
        require_lake(tables)
        yield tables
        return
    with spark_session() as spark:
        in_catalog = catalog_tables(spark, given.lake, given.storage, catalog)
        require_lake(in_catalog)
        yield in_catalog


@contextmanager
def opened_lake(given: LakeSettings, purpose: str) -> Iterator[Lake]:
    """Open a lake as its only writer.

    Args:
        given: Where it is.
        purpose: What writes, for another writer that is refused meanwhile.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        LakeBusyError: Another process writes to the lake.
        StorageError: The store refuses.
    """
    with found_lake(given) as tables:
        from conformare_sink.lake.lake import open_for_writing

        with open_for_writing(tables, purpose) as lake:
            yield lake
