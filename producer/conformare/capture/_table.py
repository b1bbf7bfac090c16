"""The methods that are tracked: one line for each, class by class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a tracked method does, and so which wrapper it gets."""

    STEP = "step"
    GROUPING = "grouping"
    PIVOT = "pivot"
    AGGREGATION = "aggregation"
    COGROUP = "cogroup"
    SILENT = "silent"
    OPTION = "option"
    READ = "read"
    SESSION_READ = "session read"
    WRITE = "write"
    STOP = "stop"


@dataclass(frozen=True)
class Tracked:
    """One method that is tracked.

    Attributes:
        module: Module of the class; imported only when tracking starts.
        owner: Name of the class.
        method: Name of the method; a method that the installed Spark lacks is left out.
        kind: What it does.
        op: Name of the operation, where it is not the method's own.
        same_columns: Whether its result has the columns of the frame it belongs to.
    """

    module: str
    owner: str
    method: str
    kind: Kind
    op: str | None = None
    same_columns: bool = False

    @property
    def operation(self) -> str:
        """Name under which the record knows it."""
        return self.op or self.method


# Steps whose result has the columns of the frame that the method belongs to.
_ROWS_ONLY = """
    alias filter where dropDuplicates drop_duplicates dropDuplicatesWithinWatermark distinct
    fillna dropna replace union unionAll intersect intersectAll exceptAll subtract orderBy sort
    sortWithinPartitions limit offset sample sampleBy randomSplit repartition repartitionByRange
    repartitionById coalesce hint checkpoint localCheckpoint withWatermark observe
"""
_COLUMNS_TOO = """
    select selectExpr withColumn withColumns withColumnRenamed withColumnsRenamed withMetadata
    toDF to join crossJoin lateralJoin drop unionByName unpivot melt transpose describe summary
    crosstab freqItems mapInPandas mapInArrow
"""
# Actions made of steps inside Spark: what they do there is not a step of the pipeline.
_ACTIONS = "first head take show toPandas toArrow pandas_api"
_GROUPINGS = "groupBy groupby rollup cube groupingSets"
_AGGREGATIONS = """
    agg count mean avg max min sum apply applyInPandas applyInArrow applyInPandasWithState
    transformWithState transformWithStateInPandas
"""
_OPTIONS = "format option options"
_READS = "load parquet csv json orc text xml table jdbc"
_SESSION_READS = "table sql createDataFrame range"
_WRITES = "save saveAsTable insertInto parquet csv json orc text xml jdbc"

_CLASSIC = "pyspark.sql.classic.dataframe"
_READWRITE = "pyspark.sql.readwriter"
_SESSION = "pyspark.sql.session"
_GROUP = "pyspark.sql.group"
_PANDAS = "pyspark.sql.pandas.group_ops"

_KINDS: tuple[tuple[str, str, Kind, str], ...] = (
    (_CLASSIC, "DataFrame", Kind.STEP, _ROWS_ONLY + _COLUMNS_TOO),
    (_CLASSIC, "DataFrame", Kind.SILENT, _ACTIONS),
    (_CLASSIC, "DataFrame", Kind.GROUPING, _GROUPINGS),
    (_CLASSIC, "DataFrame", Kind.AGGREGATION, "agg"),
    (_CLASSIC, "DataFrameNaFunctions", Kind.STEP, "fill drop replace"),
    (_CLASSIC, "DataFrameStatFunctions", Kind.STEP, "sampleBy crosstab freqItems"),
    (_GROUP, "GroupedData", Kind.PIVOT, "pivot"),
    (_GROUP, "GroupedData", Kind.AGGREGATION, _AGGREGATIONS),
    (_PANDAS, "PandasCogroupedOps", Kind.COGROUP, "applyInPandas applyInArrow"),
    (_READWRITE, "DataFrameReader", Kind.OPTION, _OPTIONS),
    (_READWRITE, "DataFrameReader", Kind.READ, _READS),
    (_READWRITE, "DataFrameWriter", Kind.OPTION, _OPTIONS),
    (_READWRITE, "DataFrameWriter", Kind.WRITE, _WRITES),
    (_SESSION, "SparkSession", Kind.SESSION_READ, _SESSION_READS),
    (_SESSION, "SparkSession", Kind.STOP, "stop"),
)
# `df.na.fill(0)` and `df.fillna(0)` are one operation in two spellings.
_SAME_OPERATION = {
    ("DataFrameNaFunctions", "fill"): "fillna",
    ("DataFrameNaFunctions", "drop"): "dropna",
}

TRACKED: tuple[Tracked, ...] = tuple(
    Tracked(
        module,
        owner,
        method,
        kind,
        op=_SAME_OPERATION.get((owner, method)),
        same_columns=kind is Kind.STEP
        and (method in _ROWS_ONLY.split() or owner == "DataFrameNaFunctions"),
    )
    for module, owner, kind, methods in _KINDS
    for method in methods.split()
)
"""Every method that `trackSpark` replaces."""
