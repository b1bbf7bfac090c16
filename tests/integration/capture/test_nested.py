"""Sensitive fields inside columns are counted in whatever way a frame has come to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.jobs.lineage import Grain

from conformare.capture import store, untracked
from conformare.record import build_model

pytestmark = [pytest.mark.usefixtures("tracked"), pytest.mark.sessions("classic", "connect")]

SCHEMA = """
    id int,
    contact struct<email: string, n: int>,
    contacts array<struct<email: string, n: int>>,
    m map<string, struct<email: string, n: int>>,
    k map<int, array<struct<a: struct<ssn: string>>>>,
    `a.b` struct<`e-mail`: string, `x``y`: int>
"""
N_SENSITIVE = 5


@pytest.fixture
def nested(spark: SparkSession) -> DataFrame:
    """A frame with five personal fields inside its columns; nothing of it has been captured."""
    with untracked():
        return spark.createDataFrame([], SCHEMA)


def written(frame: DataFrame) -> None:
    """Write a frame somewhere."""
    frame.write.format("noop").mode("overwrite").save()


def counts(grain: Grain) -> tuple[int, int, int]:
    """Return the sensitive columns of a run: all, the written ones, and those of its sink."""
    (run,), (sink,) = grain("runs"), grain("sinks")
    return run["sensitive_columns"], run["sensitive_written"], sink["n_sensitive"]


def test_fields_of_structs_arrays_and_maps_are_counted(nested: DataFrame, grain: Grain) -> None:
    written(nested.filter("id > 0"))
    assert counts(grain) == (N_SENSITIVE,) * 3
    assert grain("sinks")[0]["columns"] == sorted(nested.columns)
    assert grain("runs")[0]["n_columns"] == len(nested.columns)


CHANGES: dict[str, tuple[Callable[[DataFrame], DataFrame], int, int]] = {
    # How it is changed, how many more there are by that, and how many are written.
    "select": (lambda d: d.select("id", "contact"), 0, 1),
    "drop": (lambda d: d.drop("contact", "m"), 0, 3),
    "field": (lambda d: d.select(F.col("contact.email").alias("e"), "id"), 0, 0),
    "field by name": (lambda d: d.select("contact.email", "id"), 1, 1),
    "field in another case": (lambda d: d.select("CONTACT.EMAIL"), 1, 1),
    "quoted": (lambda d: d.select("`a.b`.`e-mail`"), 1, 1),
    "star": (lambda d: d.select("contact.*"), 1, 1),
    "SQL": (lambda d: d.selectExpr("contact as c", "id"), 1, 1),
    "alias": (lambda d: d.select(F.col("contact").alias("c")), 1, 1),
    "alias of a choice": (lambda d: d.select(F.coalesce("contact", "contact").alias("c")), 1, 1),
    "rename": (lambda d: d.select("id", "contact").withColumnRenamed("contact", "c"), 1, 1),
    "toDF": (lambda d: d.select("id", "contact").toDF("a", "b"), 1, 1),
    "withColumn": (lambda d: d.select("id", "contact").withColumn("c", d.contact), 1, 2),
    "withColumn of a choice": (
        lambda d: d.select("id", "contact").withColumn("c", F.when(d.id > 1, F.col("contact"))),
        1,
        2,
    ),
    "withColumns": (lambda d: d.select("id", "contact").withColumns({"c": d.contact}), 1, 2),
    "withField": (
        lambda d: d.select(d.contact.withField("phone", F.lit("p")).alias("contact")),
        1,
        2,
    ),
    "dropFields": (lambda d: d.select(d.contact.dropFields("email").alias("contact")), 0, 0),
    "explode": (lambda d: d.select(F.explode("contacts").alias("one")), 1, 1),
    "explode of a map": (lambda d: d.select(F.explode("m").alias("name", "one")), 1, 1),
    "inline": (lambda d: d.selectExpr("inline(contacts)"), 1, 1),
    "map_values": (lambda d: d.select(F.map_values("m").alias("ms")), 1, 1),
    "first": (lambda d: d.groupBy("id").agg(F.first("contact").alias("f")), 1, 1),
    "collect_list": (lambda d: d.groupBy("id").agg(F.collect_list("contact").alias("l")), 1, 1),
    "group by": (lambda d: d.groupBy("contact").count(), 0, 1),
    "transform": (
        lambda d: d.select(
            F.transform("contacts", lambda c: F.struct(c.email.alias("email"))).alias("t")
        ),
        1,
        1,
    ),
    "cast": (lambda d: d.select(d.contact.cast("struct<phone: string, n: int>").alias("c")), 1, 1),
    "fillna": (lambda d: d.select("id", "contact").na.fill(0), 0, 1),
    "join": (lambda d: d.select("id", "contact").join(d.select("id", "m"), "id"), 0, 2),
    "union": (lambda d: d.select("contact").union(d.select("contact")), 0, 1),
    "limit": (lambda d: d.limit(3).orderBy("id"), 0, N_SENSITIVE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_fields_are_followed_through_a_change(nested: DataFrame, grain: Grain, change: str) -> None:
    make, more, now = CHANGES[change]
    written(make(nested))
    assert counts(grain) == (N_SENSITIVE + more, now, now)


def test_a_step_that_moves_no_field_is_not_asked(nested: DataFrame, grain: Grain) -> None:
    fewer = nested.select("id", "contact", F.col("m"))
    more = fewer.withColumn("n", F.upper(F.lit("a"))).join(fewer.drop("m"), "id")
    moved = fewer.withColumn("c", F.col("contact"))
    assert grain("runs")[0]["sensitive_columns"] == N_SENSITIVE + 1
    nodes = [store.node_of(frame) for frame in (fewer, more, moved)]
    assert [node is not None and node.columns is None for node in nodes] == [True, True, False]


def test_fields_that_a_step_makes_are_counted(spark: SparkSession, grain: Grain) -> None:
    frame = spark.range(1).withColumn("n", F.lit(1))
    made = frame.withColumn("s", F.struct(F.lit("a").alias("email"))).filter("n > 0")
    written(made.select("id", F.col("s").alias("t")))
    assert counts(grain) == (2, 1, 1)


def test_fields_from_json_are_counted(spark: SparkSession, grain: Grain) -> None:
    frame = spark.createDataFrame([("{}",)], "j string")
    parsed = F.from_json("j", "a array<struct<phone: string>>")
    written(frame.select(parsed.alias("p")))
    assert counts(grain) == (1, 1, 1)


def test_fields_of_files_and_tables_are_counted(
    nested: DataFrame, grain: Grain, tmp_path: Path
) -> None:
    spark, place = nested.sparkSession, str(tmp_path / "t")
    with untracked():
        nested.select("id", "contact").write.parquet(place)
    written(spark.read.parquet(place))
    spark.sql("SELECT contact AS c FROM parquet.`" + place + "`")  # noqa: S608 - a path of ours
    run = grain("runs")[0]
    assert (run["sensitive_columns"], run["sensitive_written"]) == (2, 1)


def test_a_field_inside_a_column_that_data_has_named_does_not_name_it(
    spark: SparkSession, grain: Grain
) -> None:
    with untracked():
        frame = spark.createDataFrame(
            [(1, "Bob Smith", ("a@b",))], "id int, who string, c struct<email: string>"
        )
    pivoted = frame.groupBy("id").pivot("who").agg(F.first("c"))
    for _ in range(2):
        written(pivoted)
    again = pivoted.withColumnRenamed("Bob Smith", "Smith, Bob Smith").select("*")
    written(again)
    assert [row["n_sensitive"] for row in grain("sinks")] == [1, 1]
    model = build_model()
    assert "Bob" not in str(model)
    assert ["`pivot(who)`.email"] in [node["sensitive"] for node in model["nodes"]]


def test_fields_of_tables_that_sql_writes_are_counted(spark: SparkSession, grain: Grain) -> None:
    source, kept, made = (f"nested_{uuid.uuid4().hex}" for _ in range(3))
    with untracked():
        for table in (source, kept):
            spark.sql(f"CREATE TABLE {table} (id int, c struct<email: string>) USING parquet")
    spark.sql(f"INSERT INTO {kept} SELECT id, c FROM {source}")  # noqa: S608 - names of ours
    spark.sql(f"CREATE TABLE {made} USING parquet AS SELECT c AS d FROM {source}")  # noqa: S608 - names of this test
    assert [row["n_sensitive"] for row in grain("sinks")] == [1, 1]
    assert grain("runs")[0]["sensitive_written"] == 2
    with untracked():
        for table in (source, kept, made):
            spark.sql(f"DROP TABLE {table}")
