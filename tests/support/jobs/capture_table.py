"""The table of docs/reference/capture.md: every method of Spark's frames, readers and writers, and its capture.

`python -m support.jobs.capture_table` (with `tests` on the path, as `make capture-table` does) writes it
anew. What is tracked comes from the capture's own table; why the rest is not stands here.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformare.capture.spark._patches import _class_of
from conformare.capture.spark._table import TRACKED, Kind
from support.jobs.document_table import DocumentTable

CLASSES = (
    "DataFrame",
    "DataFrameNaFunctions",
    "DataFrameStatFunctions",
    "GroupedData",
    "PandasCogroupedOps",
    "DataFrameReader",
    "DataFrameWriter",
    "DataFrameWriterV2",
    "MergeIntoWriter",
    "MergeIntoWriter.WhenMatched",
    "MergeIntoWriter.WhenNotMatched",
    "MergeIntoWriter.WhenNotMatchedBySource",
    "DataStreamReader",
    "DataStreamWriter",
)

CAPTURED = {
    Kind.STEP: "step",
    Kind.GROUPING: "grouping: part of the step that follows",
    Kind.PIVOT: "grouping: part of the step that follows",
    Kind.AGGREGATION: "step `group_by.…`, from the frame before the grouping",
    Kind.COGROUP: "step `group_by.cogroup.…`, from both frames",
    Kind.SILENT: "nothing: an action, whatever steps it is made of",
    Kind.OPTION: "names the format, a place or a query",
    Kind.READ: "source",
    Kind.VIEW: "the view stands for the frame wherever it is read",
    Kind.OPENS_WRITE: "the writer knows its frame",
    Kind.WRITE: "sink",
    Kind.WRITE_TO: "sink",
    Kind.CLAUSE: "part of the step `merge`",
    Kind.MERGE_INTO: "step `merge` and sink",
    Kind.STREAM_WRITE: "sink",
    Kind.BATCH_FUNCTION: "the steps and sinks of the function, once; on Connect a sink",
}

ASKS = "nothing: it asks about the frame"
SAME = "nothing: it returns the same frame"
COLUMN = "nothing: it makes a column or an argument, not a frame"
SETTING = "nothing: a setting that names no place"
NOT_CAPTURED: dict[str, dict[str, str]] = {
    "DataFrame": {
        **dict.fromkeys(("cache", "persist", "unpersist"), SAME),
        **dict.fromkeys(("asTable", "colRegex", "exists", "metadataColumn", "scalar"), COLUMN),
        **dict.fromkeys(
            (
                "columns",
                "dtypes",
                "executionInfo",
                "explain",
                "inputFiles",
                "isLocal",
                "isStreaming",
                "plot",
                "printSchema",
                "sameSemantics",
                "schema",
                "semanticHash",
                "sparkSession",
                "sql_ctx",
                "storageLevel",
            ),
            ASKS,
        ),
        "na": "the steps of `df.na`",
        "rdd": "nothing: it leaves Spark's frames",
        "stat": "the steps of `df.stat`",
        "transform": "the steps of the function",
    },
    "GroupedData": {"cogroup": "grouping: part of the step that follows"},
    "DataFrameReader": {"schema": SETTING},
    "DataFrameWriter": {
        **dict.fromkeys(("bucketBy", "clusterBy", "partitionBy", "sortBy"), SETTING),
        "mode": "`ignore` is no sink where something is there already",
    },
    "DataFrameWriterV2": dict.fromkeys(
        ("clusterBy", "option", "options", "partitionedBy", "tableProperty"), SETTING
    ),
    "MergeIntoWriter": {
        **dict.fromkeys(
            ("WhenMatched", "WhenNotMatched", "WhenNotMatchedBySource"),
            "nothing: the class of what `when…` returns",
        ),
        "withSchemaEvolution": SETTING,
    },
    "DataStreamReader": {"schema": SETTING},
    "DataStreamWriter": dict.fromkeys(
        ("clusterBy", "outputMode", "partitionBy", "trigger"), SETTING
    ),
}


def methods_of(name: str) -> list[str]:
    """Return the public names of a class of the installed Spark, of a classic session."""
    owner = _class_of(next(t for t in TRACKED if t.owner == name and not t.connect))
    return sorted(method for method in dir(owner) if not method.startswith("_"))


def capture_of(name: str) -> dict[str, str]:
    """Return what is captured of each method that is known, by method."""
    known = {t.method: CAPTURED[t.kind] for t in TRACKED if t.owner == name and not t.connect}
    return known | NOT_CAPTURED.get(name, {})


def table() -> str:
    """Return the table, as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| class | method | captured |"
    yield "| --- | --- | --- |"
    for name in CLASSES:
        capture = capture_of(name)
        by_text: dict[str, list[str]] = {}
        for method in methods_of(name):
            by_text.setdefault(capture[method], []).append(f"`{method}`")
        for text, methods in by_text.items():
            yield f"| `{name}` | {' '.join(methods)} | {text} |"


TABLE = DocumentTable("reference/capture.md", "methods", table)

if __name__ == "__main__":
    TABLE.write()
