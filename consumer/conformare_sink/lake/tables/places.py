"""From options to the tables of a lake: in its folder, or in a catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.options import CatalogOptions, SinkOptions, StorageSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def check_store(lake: str, settings: StorageSettings) -> None:
    """Make sure that a lake's store lets us in.

    Args:
        lake: The lake's folder.
        settings: Settings of its store.

    Raises:
        LakeRefusedError: No lake can be there.
        StorageError: The store refuses, or does not answer; the message names the setting.
    """
    Storage(lake, settings.plain()).check()


def folder_tables(lake: str, settings: StorageSettings) -> FolderTables:
    """Return the tables of a lake that are its folders; no Spark is needed.

    Args:
        lake: The lake's folder.
        settings: Settings of its store.

    Raises:
        LakeRefusedError: No lake can be there.
        StorageError: A setting is not understood.
    """
    return FolderTables(Storage(lake, settings.plain()))


def catalog_tables(
    spark: SparkSession, lake: str, settings: StorageSettings, catalog: CatalogOptions
) -> LakeTables:
    """Return the tables of a lake that are in a catalog.

    Args:
        spark: The session, whose catalog it is.
        lake: The lake's folder.
        settings: Settings of its store.
        catalog: Where the tables are.

    Raises:
        LakeRefusedError: No lake can be there.
        StorageError: A setting is not understood.
    """
    # It imports Spark, which takes a second: a lake in a folder does not need it.
    from conformare_sink.lake.tables.catalog.tables import CatalogTables

    return CatalogTables(spark, Storage(lake, settings.plain()), catalog)


def lake_tables(spark: SparkSession, options: SinkOptions) -> LakeTables:
    """Return the tables that a sink writes to; raises what the two above raise."""
    if options.catalog is None:
        return folder_tables(options.lake, options.storage)
    return catalog_tables(spark, options.lake, options.storage, options.catalog)
