"""Without a parser, what a statement names is read from its plan, as Spark prints it."""

from __future__ import annotations

import pytest

from conformare.capture.sql._printed import on_one_line, parsed_statement
from conformare.capture.sql._written import Written, WrittenTarget

INSERT = """\
'InsertIntoStatement 'UnresolvedRelation [tgt], [__required_write_privileges__=INSERT], false, false, false, false
+- 'Project [s.*]
   +- 'Filter 's.id IN (list#631 [])
      :  +- 'Project ['id]
      :     +- 'UnresolvedRelation [tgt], [], false
      +- 'Join Inner, ('s.id = 'v.id)
         :- 'SubqueryAlias s
         :  +- 'UnresolvedRelation [db, src], [], false
         +- 'UnresolvedRelation [v], [], false
"""
INSERT_OF_A_CTE = """\
CTE [c, d]
:  :- 'SubqueryAlias c
:  :  +- 'Project [*]
:  :     +- 'UnresolvedRelation [src], [], false
:  +- 'SubqueryAlias d
:     +- 'UnresolvedRelation [c], [], false
+- 'InsertIntoStatement 'UnresolvedRelation [tgt], [__required_write_privileges__=INSERT], false, false, false, false
   +- 'Project [*]
      +- 'UnresolvedRelation [d], [], false
"""
SEVERAL_INSERTS = """\
'Union false, false
:- 'InsertIntoStatement 'UnresolvedRelation [a], [__required_write_privileges__=INSERT], false, false, false, false
:  +- 'Project ['id, 'n]
:     +- 'UnresolvedRelation [src], [], false
+- 'InsertIntoStatement 'UnresolvedRelation [b], [__required_write_privileges__=INSERT], false, false, false, false
   +- 'Project ['id, 'n]
      +- 'Filter ('id = 1)
         +- 'UnresolvedRelation [src], [], false
"""
INSERT_INTO_A_PATH = """\
'InsertIntoStatement 'UnresolvedRelation [delta, /tmp/x/y], [__required_write_privileges__=INSERT], false, false, false, false
+- 'Project [*]
   +- 'UnresolvedRelation [parquet, /in], [], false
"""
INSERT_INTO_A_FOLDER = """\
'InsertIntoDir false, Storage(Location: /tmp/d), parquet, true
+- 'Project [*]
   +- 'UnresolvedRelation [src], [], false
"""
REPLACE_WHERE = """\
'OverwriteByExpression 'UnresolvedRelation [tgt], [__required_write_privileges__=INSERT,DELETE], false, ('id = 1), false
+- 'Project [*]
   +- 'UnresolvedRelation [src], [], false
"""
MERGE = """\
'MergeIntoTable ('t.id = 's.id), [updatestaraction(None)], [insertstaraction(None)], false
:- 'SubqueryAlias t
:  +- 'UnresolvedRelation [tgt], [__required_write_privileges__=UPDATE,INSERT], false
+- 'SubqueryAlias s
   +- 'UnresolvedRelation [src], [], false
"""
UPDATE = """\
'UpdateTable [assignment('n, x)], 'id IN (list#632 [])
:  +- 'Project ['id]
:     +- 'UnresolvedRelation [src], [], false
+- 'UnresolvedRelation [tgt], [], false
"""
DELETE = """\
'DeleteFromTable ('email = UnresolvedRelation@example.org)
+- 'UnresolvedRelation [tgt], [__required_write_privileges__=DELETE], false
"""
CREATE = """\
'CreateTableAsSelect unresolvedtablespec(Some(Delta), optionlist(), None, None, None, None, false), false, false
:- 'UnresolvedIdentifier [db, x], false
+- 'Project [*]
   +- 'UnresolvedRelation [src], [], false
"""
OLDER_CREATE = """\
'CreateTableAsSelect TableSpec(Map(),Some(parquet),Map(),None,None,None,false), false, false
:- 'UnresolvedIdentifier [x], false
+- 'UnresolvedRelation [src], [], false
"""
REPLACE = """\
'ReplaceTableAsSelect unresolvedtablespec(None, optionlist(), Some(/tmp/x), None, None, None, false), true, false
:- 'UnresolvedIdentifier [x, y], false
+- 'Project [unresolvedalias(1)]
   +- OneRowRelation
"""
VIEW = """\
'CreateViewCommand `vv`, select * from src, false, false, LocalTempView, UNSUPPORTED, false
+- 'Project [*]
   +- 'UnresolvedRelation [src], [], false
"""
QUERY = """\
'Project [*]
+- 'Filter exists#634 []
   :  +- 'Project [unresolvedalias(1)]
   :     +- 'UnresolvedRelation [tgt], [], false
   +- 'Join Inner
      :- 'RelationTimeTravel 'UnresolvedRelation [src], [], false, 1
      +- 'UnresolvedRelation [_pyspark_sql_frame_1], [], false
"""


def written(
    reads: str, *targets: tuple[str, ...], made: str | None = None, is_query: bool = False
) -> Written:
    """Return what a plan names."""
    return Written(
        reads={tuple(name.split(".")): None for name in reads.split()},
        targets=[
            WrittenTarget(tuple(target[0].split(".")), target[1], (*target, None)[2])
            for target in targets
        ],
        made=(made,) if made else None,
        is_temporary=made is not None,
        is_query=is_query,
    )


FOLDER = Written(
    reads={("src",): None},
    targets=[WrittenTarget(("/tmp/d",), "insert", "parquet", is_folder=True)],  # noqa: S108 - a name in a plan
)
PATHS = Written(
    reads={("parquet", "/in"): None},
    targets=[WrittenTarget(("delta", "/tmp/x/y"), "insert")],  # noqa: S108 - a name in a plan
)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (INSERT, written("tgt db.src v", ("tgt", "insert"))),
        (INSERT_OF_A_CTE, written("src", ("tgt", "insert"))),
        (SEVERAL_INSERTS, written("src", ("a", "insert"), ("b", "insert"))),
        (INSERT_INTO_A_PATH, PATHS),
        (INSERT_INTO_A_FOLDER, FOLDER),
        (REPLACE_WHERE, written("src", ("tgt", "insert"))),
        (MERGE, written("src", ("tgt", "merge"))),
        (UPDATE, written("src", ("tgt", "update"))),
        (DELETE, written("", ("tgt", "delete"))),
        (CREATE, written("src", ("db.x", "create", "delta"))),
        (OLDER_CREATE, written("src", ("x", "create", "parquet"))),
        (REPLACE, written("", ("x.y", "replace"))),
        (VIEW, written("src", made="vv")),
        (QUERY, written("tgt src", is_query=True)),
        ("'ShowTables\n+- CurrentNamespace\n", written("", is_query=True)),
        ("", written("")),
    ],
)
def test_statements(plan: str, expected: Written) -> None:
    """Targets, tables read, the view that is made; names of a WITH are neither."""
    assert (
        parsed_statement(plan, "tgt db src v x y vv parquet /in a b delta /tmp/x/y directory")
        == expected
    )


def test_a_name_that_stands_in_a_literal_only_is_none() -> None:
    plan = (
        "'Project ['x\n+- UnresolvedRelation [secret], [], false]\n+- 'UnresolvedRelation [t], []\n"
    )
    statement = "select 'x\n+- UnresolvedRelation [secret], [], false' from t"
    assert parsed_statement(plan, statement).reads == {("t",): None}


def test_a_target_that_stands_in_a_literal_only_is_none() -> None:
    plan = (
        "'Project ['x\n"
        "'InsertIntoDir false, Storage(Location: /secret), parquet, true\n"
        "'DeleteFromTable true\n+- 'UnresolvedRelation [secret], []]\n"
        "+- 'UnresolvedRelation [t], []\n"
    )
    assert parsed_statement(plan, "select 'x … secret …' from t").targets == []


def test_a_statement_on_one_line() -> None:
    statement = "select 'a\nb' -- why\n  from /* where\n from */ t"
    assert on_one_line(statement) == "select 'a\nb' from t"
