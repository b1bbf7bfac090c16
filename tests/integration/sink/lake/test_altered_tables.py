"""Somebody alters a table of the lake by Spark SQL: it works on, or is refused in one line.

Before the sink opens the lake, and between two of its commits. What was refused lands when the change
is undone; nothing is lost or doubled.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.lakes.checker import check, read_table
from support.lakes.landed import land, rows_of, run_of, tables_in
from support.messages.records import Record, make_record

from conformare_schemas import RUN_GRAINS, path_identifier, table_columns
from conformare_sink.errors import LakeRefusedError, SinkError, TableWriteError
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.purge import Purge
from conformare_sink.lake.tables.tables import select_rows

RUNS = [make_record(f"run-{n}") for n in range(5)]
BAD = make_record("run-bad", content="bad")

COLUMN = {
    grain: next(c.name for c in table_columns(grain)[3:] if c.sql_type == "STRING")
    for grain in RUN_GRAINS
}
"""A column of each table that is no part of its key."""


def set_properties(**given: str) -> str:
    """Set properties of Delta's own."""
    pairs = ", ".join(f"'delta.{name.replace('__', '.')}' = '{given[name]}'" for name in given)
    return f"ALTER TABLE {{table}} SET TBLPROPERTIES ({pairs})"


def alter(what: str) -> str:
    """Alter the table."""
    return f"ALTER TABLE {{table}} {what}"


def delete(row: int) -> str:
    """Delete a row of the first run."""
    which = f"run_id = 'run-0' AND {{column}} LIKE '% {row} é'"
    return f"DELETE FROM {{table}} WHERE {which}"  # noqa: S608 - our own


MAPPED = set_properties(columnMapping__mode="name")


@dataclass(frozen=True)
class Change:
    """What somebody does to a table, and what comes of it."""

    statements: tuple[str, ...]
    refused: str = ""
    """What the line has in it."""
    undo: tuple[str, ...] = ()
    """Nothing for the statements that the line itself names."""
    gone: int = 0
    """Rows of the first run that are deleted by it."""
    adds: bool = False
    """Whether it adds the column `extra`."""
    drops: bool = False
    """Whether what was in the column is gone by it."""


WORKS = (
    {
        "runs": Change((alter("ADD COLUMNS (extra STRUCT<a: INT> FIRST)"),), adds=True),
        "contexts": Change((alter("ADD CONSTRAINT c CHECK ({column} LIKE 'first%')"),)),
        "risks": Change(
            (set_properties(enableDeletionVectors="true"), delete(0), delete(2)), gone=2
        ),
        "sources": Change((MAPPED, alter("ADD COLUMNS (extra STRING FIRST)")), adds=True),
        "sinks": Change((set_properties(enableChangeDataFeed="true"),)),
        "expectations": Change((set_properties(checkpointPolicy="v2", checkpointInterval="2"),)),
        "owners": Change((alter("ALTER COLUMN {column} FIRST"),)),
        "sink_risks": Change(("OPTIMIZE {table} ZORDER BY (run_id)",)),
    },
    {
        "runs": Change((MAPPED,)),
        "contexts": Change((delete(0),), gone=1),
        "risks": Change((alter("ADD COLUMNS (extra STRING)"),), adds=True),
        "sources": Change((set_properties(dataSkippingStatsColumns="emission_id"),)),
        "sinks": Change((alter("ALTER COLUMN {column} COMMENT 'changed'"),)),
        "expectations": Change(
            (alter("ADD CONSTRAINT c CHECK (length(pipeline) > 2 AND upper(run_id) LIKE 'RUN%')"),)
        ),
        "owners": Change((MAPPED, set_properties(enableDeletionVectors="true"), delete(0)), gone=1),
    },
)

REFUSED = {
    "contexts": Change(
        (MAPPED, alter("RENAME COLUMN {column} TO other")),
        "has no column {column}: rename it back, or add it",
        (alter("RENAME COLUMN other TO {column}"),),
    ),
    "risks": Change(
        (MAPPED, alter("RENAME COLUMN run_id TO other")),
        "has no column run_id: rename it back, or add it",
        (alter("RENAME COLUMN other TO run_id"),),
    ),
    "sources": Change(
        (MAPPED, alter("DROP COLUMN {column}")),
        "has no column {column}: rename it back, or add it",
        (alter("ADD COLUMNS ({column} STRING)"),),
        drops=True,
    ),
    "sinks": Change(
        (set_properties(enableTypeWidening="true"),), "has the table feature typeWidening"
    ),
    "expectations": Change(
        (set_properties(enableRowTracking="true"),),
        "has the table feature domainMetadata, rowTracking",
    ),
    "owners": Change(
        (set_properties(enableInCommitTimestamps="true"),),
        "has the table feature inCommitTimestamp",
    ),
}

NEVER_AGAIN = {
    "contexts": Change((alter("CLUSTER BY (run_id)"),), "clustering, domainMetadata"),
    "risks": Change(
        (
            set_properties(feature__allowColumnDefaults="supported"),
            alter("ADD COLUMNS (extra STRING)"),
            alter("ALTER COLUMN extra SET DEFAULT 'x'"),
        ),
        "allowColumnDefaults",
    ),
    "sources": Change((alter("ADD COLUMNS (extra VARIANT)"),), "variantType"),
}


@dataclass(frozen=True)
class Admin:
    """Somebody with Spark SQL, and a lake."""

    spark: SparkSession
    lake: str

    def alter(self, changes: Mapping[str, Change]) -> None:
        """Change tables."""
        for grain, change in changes.items():
            self.execute(grain, *change.statements)

    def execute(self, grain: str, *statements: str) -> None:
        """Execute statements on a table."""
        table = path_identifier(self.lake, grain)
        for statement in statements:
            self.spark.sql(statement.format(table=table, column=COLUMN[grain])).collect()

    def counts(self, columns: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[int]]]:
        """Of some tables: how many rows each run has, and how many where each column is not null."""
        counted = [
            self.spark.table(path_identifier(self.lake, grain))
            .groupBy(F.lit(grain).alias("grain"), "run_id")
            .agg(F.array(F.count("*"), *map(F.count, names)).alias("counts"))
            for grain, names in columns.items()
        ]
        found: dict[str, dict[str, list[int]]] = {grain: {} for grain in columns}
        for row in reduce(DataFrame.unionAll, counted).collect():
            found[row["grain"]][row["run_id"]] = row["counts"]
        return found


@pytest.fixture
def admin(spark: SparkSession, lake: str) -> Admin:
    """Somebody who alters the test's lake, in which two runs are."""
    with open_for_writing(tables_in(lake), "a test") as opened:
        land(opened, *RUNS[:2])
    return Admin(spark, lake)


@pytest.fixture(params=[pytest.param("before", marks=pytest.mark.long), "meanwhile"])
def meanwhile(request: pytest.FixtureRequest) -> bool:
    """Whether the lake is open while the tables are altered."""
    return bool(request.param == "meanwhile")


def one_line(error: SinkError, grain: str) -> str:
    """What somebody is told."""
    told = str(error)
    assert len(told.splitlines()) == 1
    assert f"/{grain} " in told
    return told


def work_on(lake: Lake) -> None:
    """Land, delete, compact, clean, and land again."""
    land(lake, RUNS[2])
    lake.purge(Purge(run_ids=("run-1",)))
    land(lake, RUNS[3])
    for grain in RUN_GRAINS:
        lake.compact(grain)
        lake.clean(grain, 168)
    land(lake, RUNS[4])


def require_sound(admin: Admin, changes: Mapping[str, Change], runs: list[Record]) -> None:
    """Make sure that every reader sees exactly some runs, but for what was deleted by hand."""
    columns = {}
    for grain in RUN_GRAINS:
        change = changes.get(grain, Change(()))
        kept = ["emission_id", "ts", *([] if change.drops else [COLUMN[grain]])]
        columns[grain] = [*kept, *(["extra"] if change.adds else [])]
    found = admin.counts(columns)
    for grain in RUN_GRAINS:
        change = changes.get(grain, Change(()))
        expected = {run_of(run).run_id: len(run[grain]) for run in runs}
        expected["run-0"] -= change.gone
        empty = [0] if change.adds else []
        n_full = 1 + len(columns[grain]) - len(empty)
        assert found[grain] == {run: [n] * n_full + empty for run, n in expected.items()}, grain
        sql = f"SELECT run_id, count(*) AS n FROM {grain} GROUP BY run_id"  # noqa: S608 - our own
        ours = {row["run_id"]: row["n"] for row in select_rows(tables_in(admin.lake), sql, grain)}
        assert ours == expected, grain


@pytest.mark.parametrize("changes", WORKS)
def test_what_was_altered_is_written_rightly(
    admin: Admin, meanwhile: bool, changes: dict[str, Change]
) -> None:
    """Appended to, deleted from, compacted and cleaned; Spark reads the right rows then."""
    if not meanwhile:
        admin.alter(changes)
    with open_for_writing(tables_in(admin.lake), "a test") as lake:
        if meanwhile:
            admin.alter(changes)
        work_on(lake)
    require_sound(admin, changes, [RUNS[0], *RUNS[2:]])


@pytest.mark.long
def test_what_was_refused_lands_when_the_changes_are_undone(admin: Admin, meanwhile: bool) -> None:
    """By the statements that the lines name, where they name some."""
    if meanwhile:
        with open_for_writing(tables_in(admin.lake), "a test") as lake:
            admin.alter(REFUSED)
            rows = rows_of(RUNS[2])
            for grain, change in REFUSED.items():
                expected = re.escape(change.refused.format(column=COLUMN[grain]))
                with pytest.raises(LakeRefusedError, match=expected) as refused:
                    lake.append(grain, rows[grain])
                one_line(refused.value, grain)
            with pytest.raises(LakeRefusedError, match="has no column run_id"):
                lake.delete("risks", run_keys([run_of(RUNS[1])]))
            with pytest.raises(LakeRefusedError):
                land(lake, RUNS[2])
    else:
        admin.alter(REFUSED)
    altered = dict(REFUSED)
    while altered:
        with (
            pytest.raises(LakeRefusedError) as refused,
            open_for_writing(tables_in(admin.lake), "a test"),
        ):
            pass
        (grain,) = (grain for grain in altered if f"/{grain} has" in str(refused.value))
        change = altered.pop(grain)
        told = one_line(refused.value, grain)
        assert change.refused.format(column=COLUMN[grain]) in told
        named = re.findall(r"ALTER TABLE delta\.`.+?` DROP FEATURE \w+(?: TRUNCATE HISTORY)?", told)
        admin.execute(grain, *(change.undo or named))
    with open_for_writing(tables_in(admin.lake), "a test") as lake:
        work_on(lake)
    require_sound(admin, REFUSED, [RUNS[0], *RUNS[2:]])
    in_column = admin.counts({"sources": [COLUMN["sources"]]})["sources"]
    assert {run for run, (_, n) in in_column.items() if n} == {"run-2", "run-3", "run-4"}


def test_what_cannot_be_undone_is_refused_and_the_lake_stays_readable(
    admin: Admin, meanwhile: bool
) -> None:
    """So that its rows can be copied into another one."""
    if meanwhile:
        with open_for_writing(tables_in(admin.lake), "a test") as lake:
            admin.alter(NEVER_AGAIN)
            for grain, change in NEVER_AGAIN.items():
                with pytest.raises(LakeRefusedError, match=change.refused) as refused:
                    lake.append(grain, rows_of(RUNS[2])[grain])
                assert "copy the tables' rows into a new lake" in one_line(refused.value, grain)
    else:
        admin.alter(NEVER_AGAIN)
    with (
        pytest.raises(LakeRefusedError, match="copy the tables' rows into a new lake"),
        open_for_writing(tables_in(admin.lake), "a test"),
    ):
        pass
    require_sound(admin, {}, RUNS[:2])


@pytest.mark.parametrize("grain", ["risks", "runs"])
def test_a_run_that_breaks_a_constraint_is_not_lost(
    spark: SparkSession, lake: str, meanwhile: bool, grain: str
) -> None:
    """It is refused whole, and lands when the constraint is gone."""
    table = path_identifier(lake, grain)
    add = f"ALTER TABLE {table} ADD CONSTRAINT c CHECK ({COLUMN[grain]} NOT LIKE 'bad%')"
    with open_for_writing(tables_in(lake), "a test") as opened:
        land(opened, RUNS[0])
        if meanwhile:
            spark.sql(add)
            with pytest.raises(
                TableWriteError, match=r"break a CHECK constraint .* DROP CONSTRAINT"
            ):
                land(opened, BAD)
            opened.recover()
            land(opened, RUNS[1])
    if not meanwhile:
        spark.sql(add)
    with open_for_writing(tables_in(lake), "a test") as opened:
        with pytest.raises(TableWriteError, match=r"break a CHECK constraint .* DROP CONSTRAINT"):
            land(opened, BAD)
        opened.recover()
        land(opened, RUNS[2])
        spark.sql(f"ALTER TABLE {table} DROP CONSTRAINT c")
        land(opened, BAD)
    landed = [RUNS[0], *([RUNS[1]] if meanwhile else []), RUNS[2], BAD]
    assert check(lake, landed).is_sound


def test_rows_of_an_append_only_table_are_not_deleted_and_runs_land(
    admin: Admin, meanwhile: bool
) -> None:
    """A purge waits until it may; nothing else does."""
    if not meanwhile:
        admin.execute("risks", set_properties(appendOnly="true"))
    with open_for_writing(tables_in(admin.lake), "a test") as lake:
        if meanwhile:
            admin.execute("risks", set_properties(appendOnly="true"))
        land(lake, RUNS[2])
        lake.compact("risks")
        with pytest.raises(TableWriteError, match=r"set its property delta\.appendOnly") as refused:
            lake.purge(Purge(run_ids=("run-1",)))
        one_line(refused.value, "risks")
    with (
        pytest.raises(TableWriteError, match=r"set its property delta\.appendOnly"),
        open_for_writing(tables_in(admin.lake), "a test"),
    ):
        pass
    admin.execute("risks", set_properties(appendOnly="false"))
    with open_for_writing(tables_in(admin.lake), "a test"):
        pass
    assert check(admin.lake, [RUNS[0], RUNS[2]]).is_sound


def test_deletion_vectors_outlive_the_cleaning_of_the_table(admin: Admin) -> None:
    """However old their files are: deltalake would take them for what a crash has left."""
    changes = {"risks": WORKS[0]["risks"]}
    admin.alter(changes)
    admin.execute("risks", set_properties(deletedFileRetentionDuration="interval 0 hours"))
    then = time.time() - 30 * 24 * 3600
    for path in Path(admin.lake, "risks").iterdir():
        os.utime(path, (then, then))
    with open_for_writing(tables_in(admin.lake), "a test") as lake:
        work_on(lake)
        lake.clean("risks", 0)
    require_sound(admin, changes, [RUNS[0], *RUNS[2:]])


@pytest.mark.parametrize("by", ["deltalake", "spark"])
def test_children_of_a_run_that_somebody_deleted_are_not_doubled(admin: Admin, by: str) -> None:
    """The run comes again, and its rows are replaced by those of the emission that lands."""
    with open_for_writing(tables_in(admin.lake), "a test") as lake:
        if by == "spark":
            admin.execute("runs", "DELETE FROM {table} WHERE run_id = 'run-0'")
        else:
            DeltaTable(str(Path(admin.lake, "runs"))).delete("run_id = 'run-0'")
        assert lake.settled([run_of(RUNS[0])]).known == set()
        land(lake, RUNS[0], emission_id="another")
    assert check(admin.lake, RUNS[:2]).is_sound
    require_sound(admin, {}, RUNS[:2])
    assert {row["emission_id"] for row in read_table(admin.lake, "risks")} == {"another", "e-run-1"}
