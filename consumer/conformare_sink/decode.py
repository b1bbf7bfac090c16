"""Kafka messages become rows: decoded in the JVM, each judged against the contract."""

from __future__ import annotations

import json
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro

from conformare_schemas import (
    GRAINS,
    HEADER_BYTES,
    RELEASED_VERSIONS,
    SINGLE_OBJECT_MAGIC,
    message_header,
    message_schema,
    topic_name,
)

MESSAGE_COLUMNS = ("key", "value", "topic", "partition", "offset", "timestamp")
"""A message as Kafka delivered it; what the pending table keeps."""

_HEADER = f"substring(value, 1, {HEADER_BYTES})"
_PAYLOAD = f"substring(value, {HEADER_BYTES + 1})"

EARLIEST_TS, LATEST_TS = "1970-01-01 00:00:00", "9999-12-31 23:59:59.999999"
"""Times that every reader of the tables can hold; Parquet writers refuse others."""


def decode(messages: DataFrame, topic_prefix: str) -> DataFrame:
    """Decode the envelopes of messages of all grain topics; none is dropped and none raises.

    The whole message is decoded, so that one without a cause can be trusted to have rows, but only
    the envelope is kept: the rows of eight grains side by side are more columns than Spark
    compiles code for, and code that is generated anew in every task costs seconds.

    Args:
        messages: Columns `MESSAGE_COLUMNS`.
        topic_prefix: Put in front of every grain's topic.

    Returns:
        `MESSAGE_COLUMNS`, then `grain`, the envelope (`run_id`, `pipeline`, `ts`, `emission_id`,
        `first_row`, `row_counts`), `n_rows` and `cause`: null, or why the message belongs in
        quarantine.
    """
    framed = messages.select(
        *MESSAGE_COLUMNS,
        _grain_of_topic(topic_prefix).alias("grain"),
        F.expr(_HEADER).alias("header"),
    )
    parsed = framed.select(*MESSAGE_COLUMNS, "grain", "header", _any_message().alias("message"))
    members = {grain: F.col("message")[f"member{n}"] for n, grain in enumerate(GRAINS)}
    envelopes = parsed.select(
        *MESSAGE_COLUMNS,
        "grain",
        "header",
        *(
            F.coalesce(*(member[name] for member in members.values())).alias(name)
            for name in ("run_id", "pipeline", "ts", "emission_id", "first_row")
        ),
        members["runs"]["row_counts"].alias("row_counts"),
        F.coalesce(*(F.size(member["rows"]) for member in members.values())).alias("n_rows"),
    )
    return envelopes.withColumn("cause", _cause()).drop("header")


def rows(grain: str) -> Column:
    """The rows of a good message of a grain: an array of structs, read from its `value`."""
    schema = json.dumps(message_schema(grain))
    by_version = [
        F.when(
            F.expr(_HEADER) == F.lit(bytearray(message_header(grain, version))),
            from_avro(
                F.expr(_PAYLOAD),
                json.dumps(message_schema(grain, version)),
                {"mode": "PERMISSIVE", "avroSchema": schema},
            )["rows"],
        )
        for version in RELEASED_VERSIONS
    ]
    return F.coalesce(*by_version)


def _grain_of_topic(topic_prefix: str) -> Column:
    return F.coalesce(
        *(
            F.when(F.col("topic") == topic_name(grain, topic_prefix), F.lit(grain))
            for grain in GRAINS
        )
    )


def _any_message() -> Column:
    """The decoded message of whatever grain: one decoder for all, the branch put before the bytes.

    Avro encodes a value of a union as the number of its branch and then the value. With the number
    of the grain in front, a payload is therefore a value of the union of all grains' messages.
    """
    branch = F.coalesce(
        *(
            F.when(_has_header(grain, version), F.lit(bytearray([2 * number])))
            for version in RELEASED_VERSIONS
            for number, grain in enumerate(GRAINS)
        )
    )
    union = [message_schema(grain) for grain in GRAINS]
    schema = {"type": "record", "name": "Any", "fields": [{"name": "message", "type": union}]}
    # Spark names the branches of a union by number: member0, member1, …
    return from_avro(
        F.concat(branch, F.expr(_PAYLOAD)), json.dumps(schema), {"mode": "PERMISSIVE"}
    )["message"]


def _has_header(grain: str, version: int) -> Column:
    header = F.lit(bytearray(message_header(grain, version)))
    return (F.col("grain") == grain) & (F.col("header") == header)


def _cause() -> Column:
    """Why a message cannot be used, the first that holds; null for a good one."""
    known = reduce(
        Column.__or__,
        (_has_header(grain, version) for grain in GRAINS for version in RELEASED_VERSIONS),
    )
    magic = F.lit(bytearray(SINGLE_OBJECT_MAGIC))
    counts = F.col("row_counts")
    is_runs = F.col("grain") == "runs"
    causes = [
        (
            F.col("value").isNull() | (F.expr("substring(value, 1, 2)") != magic),
            "not framed: the value does not begin with the marker of Avro single-object encoding",
        ),
        (~known, "unknown schema: no released version of this grain has the value's fingerprint"),
        # A failed decode in PERMISSIVE mode is a struct of nulls.
        (F.col("run_id").isNull(), "undecodable: the value does not follow its schema"),
        (
            F.col("key").isNull() | (F.col("key") != F.col("run_id").cast("binary")),
            "breaks the contract: the key is not the run_id",
        ),
        (
            (F.col("run_id") == "") | (F.col("pipeline") == "") | (F.col("emission_id") == ""),
            "breaks the contract: run_id, pipeline or emission_id is empty",
        ),
        (
            ~F.is_valid_utf8("run_id")
            | ~F.is_valid_utf8("pipeline")
            | ~F.is_valid_utf8("emission_id"),
            "breaks the contract: run_id, pipeline or emission_id is not UTF-8",
        ),
        (
            ~F.col("ts").between(
                F.lit(EARLIEST_TS).cast("timestamp"), F.lit(LATEST_TS).cast("timestamp")
            ),
            "breaks the contract: ts is outside the years 1970 to 9999",
        ),
        (
            (F.col("n_rows") < 1) | (F.col("first_row") < 0),
            "breaks the contract: no rows, or a negative first_row",
        ),
        (
            is_runs & ((F.col("n_rows") != 1) | (F.col("first_row") != 0)),
            "breaks the contract: the grain runs has exactly one row",
        ),
        (
            is_runs & (F.coalesce(counts["runs"], F.lit(0)) != 1),
            "breaks the contract: row_counts does not count the grain runs as one",
        ),
        (
            is_runs & F.exists(F.map_keys(counts), lambda name: ~name.isin(*GRAINS)),
            "unknown schema: row_counts names a grain that this sink does not know",
        ),
        (
            is_runs & F.exists(F.map_values(counts), lambda n: n < 1),
            "breaks the contract: row_counts counts a grain that has no rows",
        ),
    ]
    return F.coalesce(*(F.when(condition, F.lit(cause)) for condition, cause in causes))
