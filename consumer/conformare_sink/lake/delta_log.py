"""A Delta table's log: the names of its commits, and the first of them, as CREATE TABLE writes it.

A lake has eleven tables, and Spark takes a second or two to create each. Kernel would be as fast
as this, but its tables have no description.
"""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from conformare_schemas import ForeignTableError, TableDefinition
from conformare_sink.lake.folder import Folder

LOG = "_delta_log"

_PLAIN = {"minReaderVersion": 1, "minWriterVersion": 2}
_CLUSTERED = {
    "minReaderVersion": 1,
    "minWriterVersion": 7,
    "writerFeatures": ["domainMetadata", "clustering", "invariants", "appendOnly"],
}
"""What a writer of the table must be able to do; sections "Table Features" and "Clustered Table" of
Delta's protocol."""


def commit_file(version: int) -> str:
    """Return the name that the commit of a version has in its table's folder."""
    return f"{LOG}/{version:020d}.json"


def is_delta_table(spark: SparkSession, location: str) -> bool:
    """Return whether a folder has a Delta log with anything in it.

    Where a process ended while it made a table, the log's folder may be there and empty.
    """
    folder = Folder(spark, location)
    # A week of commits may be there to list. The first goes when that is over, after a checkpoint.
    return (
        folder.has(commit_file(0))
        or folder.has(f"{LOG}/_last_checkpoint")
        or any(name[0].isdigit() for name in Folder(spark, f"{location}/{LOG}").names())
    )


def create_folder_table(spark: SparkSession, table: TableDefinition, location: str) -> None:
    """Create a table; one that somebody else creates at the same time is left as it is.

    Args:
        spark: The sink's session; its configuration says how to reach the folder.
        table: What the table is.
        location: The table's folder, in which is no Delta table: a local path or a URI.

    Raises:
        ForeignTableError: There are files in it.
    """
    folder = Folder(spark, location)
    if set(folder.names()) - {LOG}:
        raise ForeignTableError(f"{location} has files and is no Delta table; choose another place")
    context: Any = spark.sparkContext
    jvm = context._jvm  # noqa: SLF001 - the way to Java
    hadoop = context._jsc.hadoopConfiguration()  # noqa: SLF001
    path = jvm.org.apache.hadoop.fs.Path(folder.full_path(commit_file(0)))
    path.getFileSystem(hadoop).mkdirs(path.getParent())
    # The one that Kernel commits with: it writes a commit whole, and only where there is none.
    store = jvm.io.delta.kernel.defaults.internal.logstore.LogStoreProvider.getLogStore(
        hadoop, path.toUri().getScheme()
    )
    schema = jvm.org.apache.spark.sql.types.StructType.fromDDL(table.schema_ddl).json()
    lines = jvm.java.util.ArrayList()
    for action in _actions(table, schema):
        lines.add(_compact(action))
    try:
        store.write(path, lines.iterator(), False, hadoop)
    except Py4JJavaError as exc:
        if "FileAlreadyExists" not in str(exc.java_exception):
            raise


def _actions(table: TableDefinition, schema: str) -> list[dict[str, object]]:
    """Return the commit's actions, in the order in which Delta writes them."""
    now = int(time.time() * 1000)
    told = {
        "timestamp": now,
        "operation": "CREATE TABLE",
        "operationParameters": {},
        "isBlindAppend": True,
        "engineInfo": "conformare",
    }
    metadata = {
        "id": str(uuid4()),
        "description": table.comment,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": schema,
        "partitionColumns": [],
        "configuration": table.properties,
        "createdTime": now,
    }
    actions: list[dict[str, object]] = [
        {"commitInfo": told},
        {"metaData": metadata},
        {"protocol": _CLUSTERED if table.clustering else _PLAIN},
    ]
    if table.clustering:
        domain = "delta.clustering"
        clustering = {
            "clusteringColumns": [[column] for column in table.clustering],
            "domainName": domain,
        }
        configuration = _compact(clustering)
        actions.append(
            {
                "domainMetadata": {
                    "domain": domain,
                    "configuration": configuration,
                    "removed": False,
                }
            }
        )
    return actions


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
