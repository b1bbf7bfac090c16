"""Creating the views in a catalog that keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from conformare_schemas import OWNER_PROPERTY
from conformare_sink.errors import ViewError, first_line
from conformare_sink.options import CatalogOptions

SESSION_CATALOG = "spark_catalog"


def create_views(spark: SparkSession, place: CatalogOptions, statements: Mapping[str, str]) -> None:
    """Create views, and replace those of ours that are there.

    Args:
        spark: The session, whose catalog keeps them.
        place: Where they go.
        statements: What creates each, by its quoted SQL name.

    Raises:
        ViewError: Nothing keeps them, something else has that name already, or Spark refuses.
    """
    try:
        _require_kept(spark, place)
        for identifier in statements:
            _require_ours(spark, identifier)
        with _unlogged():
            for statement in statements.values():
                spark.sql(statement)
    except (PySparkException, Py4JError) as exc:
        raise ViewError(f"the views cannot be created: {first_line(exc)}") from exc


def _require_kept(spark: SparkSession, place: CatalogOptions) -> None:
    in_memory = spark.conf.get("spark.sql.catalogImplementation") == "in-memory"
    if in_memory and (place.catalog or spark.catalog.currentCatalog()) == SESSION_CATALOG:
        raise ViewError(
            "Spark's own catalog is in memory here, and ends with this command: give Spark a "
            "metastore (spark.sql.catalogImplementation=hive), or print the statements by --print"
        )


def _require_ours(spark: SparkSession, identifier: str) -> None:
    if not spark.catalog.tableExists(identifier):
        return
    properties = spark.sql(f"SHOW TBLPROPERTIES {identifier}").collect()
    if OWNER_PROPERTY not in {row["key"] for row in properties}:
        raise ViewError(
            f"{identifier} exists and is not a view of conformare: rename it, or choose another place"
        )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Let pyspark log no error of the block with its traceback: it is told in one line."""
    logger = PySparkLogger.getLogger("SQLQueryContextLogger")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
