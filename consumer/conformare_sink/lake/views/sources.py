"""Which tables the views read: folders of a lake, or tables of a catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformare_schemas import path_identifier
from conformare_sink.errors import NoLakeError, ViewError, first_line
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.tables import LAKE_TABLES, require_lake
from conformare_sink.lake.views.statements import VIEWS
from conformare_sink.options import CatalogOptions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_READ = [table for table in LAKE_TABLES if any(table in view.reads for view in VIEWS)]


def tables_of_folder(tables: FolderTables) -> dict[str, str]:
    """Return the SQL name of each table that is there, as Spark reads it from any machine's session.

    Args:
        tables: The lake's.

    Raises:
        NoLakeError: There is no lake.
        LakeRefusedError: Its tables are elsewhere.
        StorageError: The store refuses.
    """
    require_lake(tables)
    storage = tables.storage
    # Spark's file system may be another one where a path does not say which.
    root = storage.root if storage.local is None else storage.address
    return {name: path_identifier(root, name) for name in _READ if tables.exist(name)}


def tables_of_catalog(spark: SparkSession, catalog: CatalogOptions) -> dict[str, str]:
    """Return the SQL name of each table that is there.

    Args:
        spark: The session, whose catalog it is.
        catalog: Where the tables are.

    Raises:
        NoLakeError: There are none.
        ViewError: Spark refuses.
    """
    # It takes a second, which a lake in a folder does not cost.
    from pyspark.errors import PySparkException

    named = {name: catalog.identifier(name) for name in _READ}
    try:
        found = {n: name for n, name in named.items() if spark.catalog.tableExists(name)}
    except PySparkException as exc:
        raise ViewError(f"{named['runs']} cannot be read: {first_line(exc)}") from exc
    if "runs" not in found:
        raise NoLakeError(
            f"there is no table {named['runs']}: correct --catalog, --schema and --table-prefix, "
            "or give --lake if the tables are folders"
        )
    return found
