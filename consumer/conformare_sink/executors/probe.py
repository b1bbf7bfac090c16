"""Whether executors have what tasks need: Python with this package, of the driver's version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from conformare_sink.errors import first_line
from conformare_sink.spark.environment import DISTRIBUTION


def lack_of(spark: SparkSession) -> str | None:
    """Return what executors lack, in one line; None where they lack nothing.

    Args:
        spark: The session. Each of its cores is asked.
    """
    ours = version(DISTRIBUTION)
    n_cores = spark.sparkContext.defaultParallelism
    asked = spark.range(n_cores, numPartitions=n_cores).mapInArrow(
        _look(DISTRIBUTION), "told string"
    )
    try:
        told = {*asked.toArrow().column("told").to_pylist()}
    except (PySparkException, Py4JError) as exc:
        return f"executors cannot run Python: {first_line(exc)}"
    if lacking := told - {ours}:
        return f"executors lack {DISTRIBUTION} {ours}: {min(lacking)}; give them an environment with --archives"
    return None


def _look(package: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    # Within a function, for so it is sent whole: by its name, executors would have to have it.
    def look(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from importlib.metadata import PackageNotFoundError, version

        import pyarrow as pa

        try:
            from conformare_sink.executors import task  # noqa: F401 - it has all that is needed

            told = version(package)
        except (ImportError, PackageNotFoundError) as exc:
            told = f"they say {exc}"
        for batch in batches:
            yield pa.record_batch([pa.array([told] * batch.num_rows)], names=["told"])

    return look
