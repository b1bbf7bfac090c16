"""Messages become emissions, and emissions rows: the steps that run in the JVM.

The messages stay there: what is collected is one row per emission, a few numbers each.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conformare_sink.decode import rows
from conformare_sink.emission import Emission, EmissionKey, Piece, RunKey

RUN_KEY = list(RunKey._fields)
EMISSION_KEY = list(EmissionKey._fields)
ARRIVAL = ["timestamp", "topic", "partition", "offset"]
"""The total order of messages: when the broker took them, then where."""


def collect_emissions(decoded: DataFrame) -> tuple[list[Emission], int]:
    """Bring the messages of each emission together.

    Args:
        decoded: What `decode` returns.

    Returns:
        Every emission once, and how many messages have a cause for quarantine.
    """
    usable = F.col("cause").isNull()
    keys = [F.when(usable, F.col(name)).alias(name) for name in EMISSION_KEY]
    groups = decoded.groupBy(usable.alias("usable"), *keys).agg(
        F.count("*").alias("deliveries"),
        F.collect_set(F.struct("grain", "first_row", "n_rows")).alias("pieces"),
        F.min_by("row_counts", F.when(F.col("row_counts").isNotNull(), F.struct(*ARRIVAL))).alias(
            "row_counts"
        ),
        F.max(F.struct(*ARRIVAL)).alias("last_arrival"),
    )
    emissions = []
    quarantined = 0
    for row in groups.toArrow().to_pylist():
        if not row["usable"]:
            quarantined += row["deliveries"]
            continue
        pieces = frozenset(Piece(**piece) for piece in row["pieces"])
        emissions.append(
            Emission(
                key=EmissionKey(*(row[name] for name in EMISSION_KEY)),
                pieces=pieces,
                row_counts=None if row["row_counts"] is None else dict(row["row_counts"]),
                last_arrival=tuple(row["last_arrival"].values()),
                repeated=row["deliveries"] > len(pieces),
            )
        )
    return emissions, quarantined


def key_frame(spark: SparkSession, keys: Collection[RunKey] | Collection[EmissionKey]) -> DataFrame:
    """Return keys as a frame to join with; the columns are those of the keys."""
    names = EMISSION_KEY if isinstance(next(iter(keys)), EmissionKey) else RUN_KEY
    columns = [pa.array(column, pa.string()) for column in zip(*keys, strict=True)]
    return F.broadcast(spark.createDataFrame(pa.table(columns, names=names)))


def rows_of(grain: str, decoded: DataFrame, landing: DataFrame, *, repeated: bool) -> DataFrame:
    """Return the rows of one grain of the emissions that land, ready for the grain's columns.

    Args:
        grain: One of `GRAINS`.
        decoded: What `decode` returns.
        landing: `EMISSION_KEY` of the emissions that land.
        repeated: Whether a message may be there more than once.
    """
    messages = decoded.where(F.col("cause").isNull() & (F.col("grain") == grain))
    chosen = messages.join(landing, EMISSION_KEY, "left_semi")
    if repeated:
        # The rows of one message, whichever delivery: all carry the same bytes.
        chosen = chosen.dropDuplicates([*EMISSION_KEY, "first_row"])
    return chosen.select("run_id", "pipeline", "ts", "emission_id", F.inline(rows(grain)))
