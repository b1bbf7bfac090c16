"""What a statement reads and writes is read from the text of its plan, as Spark prints it."""

from __future__ import annotations

import pytest

from conformare.capture.spark._statements import Statement, Target, parsed_statement

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


@pytest.mark.parametrize(
    ("plan", "statement"),
    [
        (INSERT, Statement((Target("tgt", "insert"),), ("tgt", "db.src", "v"))),
        (INSERT_OF_A_CTE, Statement((Target("tgt", "insert"),), ("src",))),
        (SEVERAL_INSERTS, Statement((Target("a", "insert"), Target("b", "insert")), ("src",))),
        (
            INSERT_INTO_A_PATH,
            Statement((Target("/tmp/x/y", "insert", "delta", is_path=True),), ("/in",)),  # noqa: S108 - a name in a plan
        ),
        (
            INSERT_INTO_A_FOLDER,
            Statement((Target("/tmp/d", "insert", "parquet", is_path=True),), ("src",)),  # noqa: S108 - a name in a plan
        ),
        (REPLACE_WHERE, Statement((Target("tgt", "insert"),), ("src",))),
        (MERGE, Statement((Target("tgt", "merge"),), ("src",))),
        (UPDATE, Statement((Target("tgt", "update"),), ("src",))),
        (DELETE, Statement((Target("tgt", "delete"),), ())),
        (CREATE, Statement((Target("db.x", "create", "delta"),), ("src",))),
        (OLDER_CREATE, Statement((Target("x", "create", "parquet"),), ("src",))),
        (REPLACE, Statement((Target("x.y", "replace"),), ())),
        (VIEW, Statement((), ("src",), "vv")),
        (QUERY, Statement((), ("tgt", "src"))),
        ("'ShowTables\n+- CurrentNamespace\n", Statement()),
        ("", Statement()),
    ],
)
def test_statements(plan: str, statement: Statement) -> None:
    """Targets, tables read, the view that is made; names of a WITH are neither."""
    assert parsed_statement(plan) == statement
