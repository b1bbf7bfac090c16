"""What a statement names is read from its text where Spark hands out no plan."""

from __future__ import annotations

import logging

import pytest

from conformare.capture.sql._written import Args, Written, written

pytest.importorskip("sqlglot")

MERGE = (
    "MERGE INTO a.b AS t USING (SELECT * FROM s) AS s ON t.id = s.id "
    "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT * "
    "WHEN NOT MATCHED BY SOURCE THEN DELETE"
)
CHANGES = [
    (
        "INSERT INTO tgt WITH orders AS (SELECT * FROM orders) SELECT * FROM orders",
        "orders",
        "insert tgt",
    ),
    ("WITH a AS (SELECT * FROM x) INSERT INTO t SELECT * FROM a", "x", "insert t"),
    ("INSERT OVERWRITE TABLE x PARTITION (a = 1) SELECT * FROM y", "y", "insert x"),
    ("INSERT INTO x REPLACE WHERE id = 1 SELECT * FROM y", "y", "insert x"),
    ("INSERT INTO t (a, b) VALUES (1, 2)", "", "insert t"),
    ("INSERT INTO t (a, b) TABLE y", "y", "insert t"),
    ("INSERT INTO t BY NAME SELECT * FROM y", "y", "insert t"),
    ("INSERT INTO t FROM y SELECT *", "y", "insert t"),
    ("INSERT WITH SCHEMA EVOLUTION INTO t SELECT * FROM y", "y", "insert t"),
    ("INSERT INTO `my-cat`.APP.`od-d` SELECT * FROM x", "x", "insert my-cat.APP.od-d"),
    ("INSERT INTO delta.`/p/q` SELECT * FROM parquet.`/in`", "parquet./in", "insert delta./p/q"),
    ("INSERT OVERWRITE DIRECTORY '/p' USING parquet SELECT * FROM y", "y", "insert /p parquet"),
    (
        "INSERT OVERWRITE LOCAL DIRECTORY '/p' USING csv OPTIONS (a 'b') SELECT * FROM y",
        "y",
        "insert /p csv",
    ),
    ("INSERT OVERWRITE DIRECTORY '/p' SELECT * FROM y", "y", "insert /p"),
    (
        "FROM src INSERT INTO a SELECT id INSERT INTO b SELECT n WHERE id = 1",
        "src",
        "insert a, insert b",
    ),
    (
        "WITH a AS (SELECT * FROM x) FROM a INSERT INTO b SELECT * INSERT OVERWRITE TABLE c.d SELECT *",
        "x",
        "insert b, insert c.d",
    ),
    ("UPDATE d SET note = 'a\nb' WHERE id IN (SELECT id FROM x)", "x", "update d"),
    ("DELETE FROM t AS x WHERE id = 1", "", "delete t"),
    (MERGE, "s", "merge a.b"),
    (
        "MERGE WITH SCHEMA EVOLUTION INTO t USING s ON t.i = s.i WHEN MATCHED THEN DELETE",
        "s",
        "merge t",
    ),
    (
        "WITH a AS (SELECT * FROM b) MERGE INTO t USING a ON 1 = 1 WHEN MATCHED THEN DELETE",
        "b",
        "merge t",
    ),
    ("CREATE TABLE x USING delta COMMENT 'a\nb' AS SELECT * FROM y", "y", "create x delta"),
    ("CREATE OR REPLACE TABLE x AS (SELECT * FROM y)", "y", "replace x"),
    ("REPLACE TABLE x AS SELECT * FROM y", "y", "replace x"),
    ("CREATE TABLE x AS WITH a AS (SELECT * FROM y) TABLE a", "y", "create x"),
    ("CREATE TABLE t SHALLOW CLONE s", "s", "create t"),
    ("TRUNCATE TABLE a.x", "", "truncate a.x"),
    ("LOAD DATA INPATH '/x' OVERWRITE INTO TABLE t", "", "load t"),
    ("RESTORE TABLE t TO VERSION AS OF 1", "", "restore t"),
    ("EXECUTE IMMEDIATE 'INSERT INTO t SELECT * FROM x' USING 1", "x", "insert t"),
]


@pytest.mark.parametrize(("text", "reads", "targets"), CHANGES)
def test_what_a_statement_changes(text: str, reads: str, targets: str) -> None:
    said = written(text)
    assert said is not None
    assert (_reads(said), _targets(said), said.is_query) == (reads, targets, False)


QUERIES = [
    ("WITH Recent AS (SELECT * FROM orders) SELECT * FROM recent", "orders"),
    ("WITH a AS (SELECT * FROM x), b AS (SELECT * FROM a) SELECT * FROM b", "x"),
    ("WITH a AS (SELECT * FROM x), b AS (SELECT * FROM y) SELECT * FROM b", "y"),
    ("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM y) SELECT * FROM a", "b"),
    ("WITH a AS (SELECT 1) SELECT * FROM (WITH a AS (SELECT * FROM x) SELECT * FROM a)", "x"),
    ("SELECT * FROM t WHERE i IN (WITH t AS (SELECT * FROM t) SELECT i FROM t)", "t"),
    ("WITH RECURSIVE r AS (SELECT n FROM s UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", "s"),
    ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.id = a.id)", "a b"),
    ("SELECT (SELECT max(i) FROM p) FROM o WHERE EXISTS (SELECT 1 FROM q)", "o p q"),
    ("((SELECT * FROM orders))", "orders"),
    ("SELECT 1 UNION SELECT * FROM (SELECT * FROM u) ORDER BY 1", "u"),
    ("TABLE orders", "orders"),
    ("SELECT * FROM (TABLE orders)", "orders"),
    ("FROM orders |> WHERE id > 1", "orders"),
    ("SELECT * FROM delta.`/p/q` VERSION AS OF 1", "delta./p/q"),
    ("SELECT * FROM t TIMESTAMP AS OF '2020-01-01' AS x", "t"),
    ("SELECT * FROM t@v1", "t"),
    ("SELECT * FROM range(10)", ""),
    ("SELECT * FROM f(TABLE(orders))", "orders"),
    ("SELECT * FROM f(TABLE(SELECT * FROM orders))", "orders"),
    ("SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2))", "t"),
    ("SELECT a FROM x LATERAL VIEW explode(y) z AS w", "x"),
    ("VALUES (1)", ""),
    ("SELECT 'it''s' FROM x;", "x"),
    ("SET VAR x = (SELECT max(id) FROM t)", "t"),
    ("SELECT 'x\n+- UnresolvedRelation [secret], [], false' FROM t -- from u", "t"),
]


@pytest.mark.parametrize(("text", "reads"), QUERIES)
def test_what_a_query_reads(text: str, reads: str) -> None:
    said = written(text)
    assert said is not None
    assert (_reads(said), _targets(said), said.is_query) == (reads, "", True)


@pytest.mark.parametrize(
    ("text", "args", "reads"),
    [
        ("SELECT * FROM IDENTIFIER(:t) WHERE a = :a", {"t": "a.b", "a": 1}, "a.b"),
        ("SELECT ? FROM IDENTIFIER(?)", [1, "x"], "x"),
        ("SELECT * FROM IDENTIFIER('a' || :s)", {"s": ".b"}, "a.b"),
        ("SELECT * FROM IDENTIFIER({t}) JOIN {people}", {"t": "x", "people": object()}, "x"),
    ],
)
def test_a_name_that_is_a_parameter(text: str, args: Args, reads: str) -> None:
    said = written(text, args)
    assert said is not None
    assert _reads(said) == reads


def test_what_is_written_to_a_folder_says_its_columns() -> None:
    said = written("INSERT OVERWRITE DIRECTORY '/p' USING csv SELECT id AS a FROM y")
    assert said is not None
    assert said.targets[0].query == "SELECT id AS a FROM y"


def test_a_target_that_is_a_parameter() -> None:
    said = written("INSERT INTO IDENTIFIER(:t) SELECT 1", {"t": "a.b"})
    assert said is not None
    assert _targets(said) == "insert a.b"


@pytest.mark.parametrize(
    ("text", "made", "dropped", "is_temporary"),
    [
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", ("v",), None, True),
        ("CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1", ("global_temp", "v"), None, True),
        ("CREATE VIEW a.b (x COMMENT 'y') AS SELECT 1", ("a", "b"), None, False),
        ("CACHE LAZY TABLE x AS SELECT 1", ("x",), None, True),
        ("ALTER VIEW v AS SELECT 1", ("v",), None, False),
        ("CREATE TEMPORARY VIEW v USING csv OPTIONS (path '/p')", None, ("v",), True),
        ("DROP VIEW IF EXISTS global_temp.v", None, ("global_temp", "v"), False),
        ("DROP TABLE v", None, None, False),
    ],
)
def test_views(
    text: str, made: tuple[str, ...] | None, dropped: tuple[str, ...] | None, is_temporary: bool
) -> None:
    said = written(text)
    assert said is not None
    assert (said.made, said.dropped, said.is_temporary) == (made, dropped, is_temporary)


@pytest.mark.parametrize(
    "text",
    [
        "SHOW TABLES",
        "USE sales",
        "DESCRIBE t",
        "CREATE TABLE x (id INT)",
        "ALTER TABLE t ADD COLUMN a INT",
        "OPTIMIZE t",
        "EXPLAIN SELECT 1",
        "CACHE TABLE x",
        "SET a.b = c",
    ],
)
def test_what_neither_reads_nor_changes_data(text: str) -> None:
    said = written(text)
    assert said == Written()


def test_what_is_not_understood_is_nothing_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert written("BEGIN INSERT INTO a VALUES ('secret'); END") is None
        assert written("SELECT * FROM IDENTIFIER(:t)", {}) is None
        assert written("SELECT 'secret") is None
        written("OPTIMIZE t WHERE a = 'secret'")
    assert "secret" not in caplog.text


def _reads(said: Written) -> str:
    return " ".join(".".join(parts) for parts in said.reads)


def _targets(said: Written) -> str:
    return ", ".join(
        " ".join(filter(None, (target.operation, ".".join(target.parts), target.format)))
        for target in said.targets
    )
