"""Whether Delta's commits through Spark are safe from each other where the tables are.

Delta commits through a log store, which it chooses by the scheme of a table's location. On HDFS and
Azure the store renames without overwriting, on Google Cloud Storage it writes with a precondition:
of two commits of one version the second fails ("Storage configuration" in Delta's documentation).
The store for S3 looks whether the version is there and then writes it. Only a lock within one
driver is around both, so a job can overwrite the commit of another.
"""

from __future__ import annotations

import os
import re
from typing import Any

from conformare.capture import is_connect
from conformare_schemas import table_identifier

_S3_SCHEMES = frozenset({"s3", "s3a", "s3n"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

_LOG_STORE_OF_ALL = "spark.delta.logStore.class"
# Those that Delta brings. A rename on S3 copies, so what locks elsewhere does not lock there.
_WITHOUT_LOCK_ON_S3 = frozenset(
    f"{package}.{name}"
    for package in ("io.delta.storage", "org.apache.spark.sql.delta.storage")
    for name in (
        "AzureLogStore",
        "DelegatingLogStore",
        "GCSLogStore",
        "HDFSLogStore",
        "LocalLogStore",
        "S3SingleDriverLogStore",
    )
)

_SPARKS_CATALOG = "spark_catalog"
_DELTAS_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"


def unsafe_commits(spark: Any, location: str) -> str | None:
    """Return why one writer's commit may overwrite another's; None where it cannot.

    Args:
        spark: The job's `SparkSession`.
        location: Path or URI of the tables.

    Returns:
        What may happen, why, and what to do instead.
    """
    scheme = _scheme(spark, location)
    if scheme not in _S3_SCHEMES or _is_databricks(spark):
        return None
    of_scheme = f"spark.delta.logStore.{scheme}.impl"
    setting = _LOG_STORE_OF_ALL if _chosen(spark, _LOG_STORE_OF_ALL) else of_scheme
    log_store = _chosen(spark, setting)
    if log_store is not None and log_store not in _WITHOUT_LOCK_ON_S3:
        return None
    return (
        f"on {scheme}:// one writer's commit may overwrite another's, for Delta's log store does "
        'not lock; record with writer="kafka", choose a catalog that coordinates commits, or, if no '
        f"sink writes there, start Spark with {setting}=io.delta.storage.S3DynamoDBLogStore or "
        "another one that locks"
    )


def tables_location(spark: Any, catalog: str | None, schema: str | None) -> str | None:
    """Return where the tables of a schema lie, if Delta commits there by itself.

    Spark's own catalog knows where a table is and has no say in its commits. Another catalog, such
    as Unity Catalog, may decide about each commit.

    Args:
        spark: The job's `SparkSession`.
        catalog: The catalog; None for the session's current one.
        schema: The schema; None for the session's current one.

    Returns:
        A path or URI; None for a catalog that is not Spark's own.
    """
    catalog = catalog or spark.catalog.currentCatalog()
    is_sparks_own = catalog.lower() == _SPARKS_CATALOG and (
        spark.conf.get(f"spark.sql.catalog.{_SPARKS_CATALOG}", None) in (None, _DELTAS_CATALOG)
    )
    if not is_sparks_own:
        return None
    name = table_identifier(schema or spark.catalog.currentDatabase(), schema=_SPARKS_CATALOG)
    if spark.catalog.databaseExists(name):
        location: str = spark.catalog.getDatabase(name).locationUri
    else:
        location = spark.conf.get("spark.sql.warehouse.dir")
    return location


def _scheme(spark: Any, location: str) -> str:
    """Return the scheme by which Delta chooses: without one, that of Hadoop's default file system."""
    found = _SCHEME.match(location) or _SCHEME.match(_default_file_system(spark))
    return found[1].lower() if found else ""


def _default_file_system(spark: Any) -> str:
    name = "fs.defaultFS"
    if is_connect(spark):  # what the server's core-site.xml says cannot be asked for
        return spark.conf.get(name, None) or spark.conf.get(f"spark.hadoop.{name}", None) or ""
    hadoop = spark._jsparkSession.sessionState().newHadoopConf()  # noqa: SLF001 - nothing public
    default: str = hadoop.get(name)
    return default


def _chosen(spark: Any, setting: str) -> str | None:
    """Return the class that a setting of Delta's names, with or without its prefix."""
    # Delta reads the settings that Spark was started with: what the session sets has no effect.
    settings = spark.conf if is_connect(spark) else spark.sparkContext.getConf()
    chosen: str | None = settings.get(setting, None) or settings.get(
        setting.removeprefix("spark."), None
    )
    return chosen


def _is_databricks(spark: Any) -> bool:
    """Whether it is Databricks' own Spark, which commits to S3 through a service of its own."""
    # The variable is there in a job or notebook; the setting also where only the session is there.
    return bool(os.environ.get("DATABRICKS_RUNTIME_VERSION")) or (
        spark.conf.get("spark.databricks.clusterUsageTags.clusterId", None) is not None
    )
