"""A person whose name may not be seen, and what the record tells of columns made of it."""

from __future__ import annotations

import io
import json

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import store, untracked
from conformare.record import build_model, describe_run, to_run_record

BOB = "Bob Smith"
NUMBER = 91234
DAY = "1999-12-31"
SCHEMA = """
    id int, name string, n int, m map<string, int>, arr array<string>, s struct<email: string>,
    `(name = Al)` boolean
"""


@pytest.fixture
def staff(spark: SparkSession) -> DataFrame:
    """A person and a column that merely looks like an expression; nothing has been captured."""
    with untracked():
        row = (1, BOB, NUMBER, {BOB: 1}, [BOB], ("a@b",), True)
        return spark.createDataFrame([row], SCHEMA)


def is_bob() -> Column:
    """Return a condition with a literal."""
    return F.col("name") == BOB


def columns_of(frame: DataFrame, grain: Grain) -> list[str]:
    """Return the columns that the record shows of a frame that is written."""
    writer = frame.write.format("noop").mode("overwrite")
    writer.save()
    told = all_that_is_told()
    for secret in (BOB, "Bob", "Smith", str(NUMBER), DAY):
        assert secret not in told, told
    found: list[str] = grain("sinks")[-1]["columns"]
    return found


def all_that_is_told() -> str:
    """Return the record, the model and the tree of what was captured."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    return json.dumps([record, build_model(store)]) + shown.getvalue()
