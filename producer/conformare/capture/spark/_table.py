"""The methods that are tracked: one line for each, class by class, for classic and Connect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformare.capture.source._step_names import STEPS


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
    VIEW = "view"
    DROP_VIEW = "drop view"
    OPENS_WRITE = "opens write"
    WRITE = "write"
    WRITE_TO = "write to"
    CLAUSE = "clause"
    MERGE_INTO = "merge into"
    STREAM_WRITE = "stream write"
    BATCH_FUNCTION = "batch function"
    DELTA_OPEN = "delta open"
    DELTA_FOLLOW = "delta follow"
    DELTA_READ = "delta read"
    DELTA_WRITE = "delta write"
    DELTA_MERGE = "delta merge"
    DELTA_CLONE = "delta clone"
    SESSION = "session"
    STOP = "stop"


@dataclass(frozen=True)
class Tracked:
    """One method that is tracked.

    Attributes:
        modules: Modules of the class in the versions of Spark, the first that has it counts.
        owner: Name of the class, of a class in a class with a dot.
        method: Name of the method; a method that the installed Spark lacks is left out.
        kind: What it does.
        connect: Whether the class belongs to Spark Connect.
        op: Name of the operation, where it is not the method's own.
    """

    modules: tuple[str, ...]
    owner: str
    method: str
    kind: Kind
    connect: bool = False
    op: str | None = None

    @property
    def operation(self) -> str:
        """Name under which the record knows it."""
        return self.op or self.method


# Actions, some of them made of steps inside Spark: what they do there is no step of the pipeline.
_ACTIONS = """
    first head take tail show toPandas toArrow pandas_api collect count isEmpty
    foreach foreachPartition toLocalIterator approxQuantile corr cov
"""
_GROUPINGS = "groupBy groupby rollup cube groupingSets"
_AGGREGATIONS = """
    agg count mean avg max min sum apply applyInPandas applyInArrow applyInPandasWithState
    transformWithState transformWithStateInPandas
"""
_VIEWS = """
    createTempView createOrReplaceTempView createGlobalTempView createOrReplaceGlobalTempView
    registerTempTable
"""
_OPTIONS = "format option options"
_READS = "load parquet csv json orc text xml table jdbc"
_STREAM_READS = "load parquet csv json orc text xml table"
_SESSION_READS = "table sql createDataFrame range"
_WRITES = "save saveAsTable insertInto parquet csv json orc text xml jdbc"
_WRITES_TO = "create replace createOrReplace append overwrite overwritePartitions"
_CLAUSES = "whenMatched whenNotMatched whenNotMatchedBySource"
_CHANGES = "updateAll update delete"
_DELTA_CLAUSES = """
    whenMatchedUpdate whenMatchedUpdateAll whenMatchedDelete whenNotMatchedInsert
    whenNotMatchedInsertAll whenNotMatchedBySourceUpdate whenNotMatchedBySourceDelete
    withSchemaEvolution
"""


@dataclass(frozen=True)
class _Class:
    """A class of Spark or Delta: where it is in a classic session, and where in Connect."""

    name: str
    classic: tuple[str, ...]
    connect: str


def _class(name: str, module: str, *, older: str | None = None, connect: str = "") -> _Class:
    """Name a class of `pyspark.sql`; `older` is where Spark 3.5 has it."""
    modules = (module,) if older is None else (module, older)
    return _Class(
        name,
        tuple(f"pyspark.sql.{path}" for path in modules),
        f"pyspark.sql.connect.{connect or (older or module)}",
    )


_FRAME = _class("DataFrame", "classic.dataframe", older="dataframe")
_NA = _class("DataFrameNaFunctions", "classic.dataframe", older="dataframe")
_STAT = _class("DataFrameStatFunctions", "classic.dataframe", older="dataframe")
_GROUPED = _class("GroupedData", "group")
_COGROUPED = _class("PandasCogroupedOps", "pandas.group_ops", connect="group")
_READER = _class("DataFrameReader", "readwriter")
_WRITER = _class("DataFrameWriter", "readwriter")
_WRITER_TO = _class("DataFrameWriterV2", "readwriter")
_MERGE = _class("MergeIntoWriter", "merge")
_MATCHED = _class("MergeIntoWriter.WhenMatched", "merge")
_NOT_MATCHED = _class("MergeIntoWriter.WhenNotMatched", "merge")
_NOT_MATCHED_BY_SOURCE = _class("MergeIntoWriter.WhenNotMatchedBySource", "merge")
_STREAM_READER = _class("DataStreamReader", "streaming.readwriter")
_STREAM_WRITER = _class("DataStreamWriter", "streaming.readwriter")
_CATALOG = _class("Catalog", "catalog")
_SESSION = _class("SparkSession", "session")
_BUILDER = _class("SparkSession.Builder", "session")
_DELTA = _Class("DeltaTable", ("delta.tables",), "delta.connect.tables")
_DELTA_MERGE = _Class("DeltaMergeBuilder", ("delta.tables",), "delta.connect.tables")

_KINDS: tuple[tuple[_Class, Kind, str], ...] = (
    (_FRAME, Kind.STEP, STEPS),
    (_FRAME, Kind.SILENT, _ACTIONS),
    (_FRAME, Kind.GROUPING, _GROUPINGS),
    (_FRAME, Kind.AGGREGATION, "agg"),
    (_FRAME, Kind.VIEW, _VIEWS),
    (_FRAME, Kind.OPENS_WRITE, "write writeTo writeStream mergeInto"),
    (_NA, Kind.STEP, "fill drop replace"),
    (_STAT, Kind.STEP, "sampleBy crosstab freqItems"),
    (_STAT, Kind.SILENT, "approxQuantile corr cov"),
    (_GROUPED, Kind.PIVOT, "pivot"),
    (_GROUPED, Kind.AGGREGATION, _AGGREGATIONS),
    (_COGROUPED, Kind.COGROUP, "applyInPandas applyInArrow"),
    (_READER, Kind.OPTION, _OPTIONS),
    (_READER, Kind.READ, _READS),
    (_WRITER, Kind.OPTION, f"{_OPTIONS} mode"),
    (_WRITER, Kind.WRITE, _WRITES),
    (_WRITER_TO, Kind.OPTION, "using"),
    (_WRITER_TO, Kind.WRITE_TO, _WRITES_TO),
    (_MERGE, Kind.CLAUSE, _CLAUSES),
    (_MATCHED, Kind.CLAUSE, _CHANGES),
    (_NOT_MATCHED, Kind.CLAUSE, "insertAll insert"),
    (_NOT_MATCHED_BY_SOURCE, Kind.CLAUSE, _CHANGES),
    (_MERGE, Kind.MERGE_INTO, "merge"),
    (_STREAM_READER, Kind.OPTION, _OPTIONS),
    (_STREAM_READER, Kind.READ, _STREAM_READS),
    (_STREAM_WRITER, Kind.OPTION, f"{_OPTIONS} queryName foreach"),
    (_STREAM_WRITER, Kind.BATCH_FUNCTION, "foreachBatch"),
    (_STREAM_WRITER, Kind.STREAM_WRITE, "start toTable"),
    (_CATALOG, Kind.DROP_VIEW, "dropTempView dropGlobalTempView"),
    (_SESSION, Kind.SESSION_READ, _SESSION_READS),
    (_SESSION, Kind.STOP, "stop"),
    (_BUILDER, Kind.SESSION, "getOrCreate create"),
    (_DELTA, Kind.DELTA_OPEN, "forName forPath"),
    (_DELTA, Kind.DELTA_FOLLOW, "alias merge"),
    (_DELTA, Kind.DELTA_READ, "toDF"),
    (_DELTA, Kind.DELTA_WRITE, "update delete restoreToVersion restoreToTimestamp"),
    (_DELTA, Kind.DELTA_CLONE, "clone cloneAtVersion cloneAtTimestamp"),
    (_DELTA_MERGE, Kind.DELTA_FOLLOW, _DELTA_CLAUSES),
    (_DELTA_MERGE, Kind.DELTA_MERGE, "execute"),
)
# One operation in two spellings, such as `df.na.fill(0)` and `df.fillna(0)`.
_SAME_OPERATION = {
    ("DataFrameNaFunctions", "fill"): "fillna",
    ("DataFrameNaFunctions", "drop"): "dropna",
    ("DeltaTable", "cloneAtVersion"): "clone",
    ("DeltaTable", "cloneAtTimestamp"): "clone",
    ("DeltaTable", "restoreToVersion"): "restore",
    ("DeltaTable", "restoreToTimestamp"): "restore",
}

TRACKED: tuple[Tracked, ...] = tuple(
    Tracked(
        modules,
        owner.name,
        method,
        kind,
        connect=connect,
        op=_SAME_OPERATION.get((owner.name, method)),
    )
    for owner, kind, methods in _KINDS
    for connect, modules in ((False, owner.classic), (True, (owner.connect,)))
    for method in methods.split()
)
"""Every method that `trackSpark` replaces."""
