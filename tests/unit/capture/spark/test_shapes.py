"""The columns of a result, as far as a step says them; anything less than certain is asked for."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from pyspark.sql import Column

from conformare.capture._lineage import Introduced
from conformare.capture.spark._fields import Inside, fields_inside
from conformare.capture.spark._shapes import introduced, introduced_keys

# Only its class is looked at.
COLUMN: Any = object.__new__(Column)


@pytest.mark.parametrize(
    ("method", "args", "kwargs", "texts", "names"),
    [
        ("join", ("other",), {}, ("_frame_",), ()),
        ("drop", ("a",), {}, ("'a'",), ()),
        ("withColumn", ("a", COLUMN), {}, ("'a'", "F.lit(1)"), ("a",)),
        ("withColumn", ("a", COLUMN), {}, ("'a'", "x"), None),
        ("withColumn", (), {"colName": "a", "col": COLUMN}, (), None),
        ("withColumns", ({"a": 1, "b": 2},), {}, ("{'a': F.lit(1), 'b': _frame_.c}",), ("a", "b")),
        ("withColumns", ({"a": 1, "b": 2},), {}, ("{'a': F.lit(1), 'b': F.struct('c')}",), None),
        ("withColumns", ({"a": COLUMN},), {}, ("x",), None),
        ("withColumns", ({},), {}, ("{}",), None),
        ("select", ("a", "b"), {}, ("'a'", "b"), ("a", "b")),
        ("select", ("*",), {}, ("'*'",), None),
        ("select", ("a.b",), {}, ("'a.b'",), None),
        ("select", (["a"],), {}, ("['a']",), None),
        ("select", (COLUMN,), {}, ("F.col('a')",), ("a",)),
        ("select", (COLUMN,), {}, ("_frame_.a",), ("a",)),
        ("select", (COLUMN,), {}, ("_frame_['a']",), ("a",)),
        ("select", (COLUMN,), {}, ("F.sum(x).over(w).alias('total')",), ("total",)),
        ("select", (COLUMN,), {}, ("F.struct('a').alias('s')",), None),
        ("select", (COLUMN,), {}, ("F.explode(x).alias('k', 'v')",), None),
        ("select", (COLUMN,), {}, ("F.lit(1)",), None),
        ("select", (COLUMN,), {}, ("name",), None),
        ("select", (COLUMN,), {}, ("F.lit(1) + F.col('a').alias('b')",), None),
        ("select", (COLUMN,), {}, ("x.alias('b') if flag else y.alias('c')",), None),
        ("select", (COLUMN,), {}, ("=(id, 'lit')",), None),
        ("select", (COLUMN,), {}, ("F.sum(F.col('a').alias('b'))",), None),
        ("select", (["a"],), {}, ("_frame_.columns",), None),
        ("select", ("a", "b"), {}, ("*names",), None),
        ("toDF", ("a", "b"), {}, ("'a'", "'b'"), ("a", "b")),
        ("agg", ({"a": "sum"},), {}, ("{'a': 'sum'}",), None),
        ("agg", (COLUMN,), {}, ("F.max('a').alias('m')",), ("m",)),
        ("selectExpr", ("a",), {}, ("'a'",), None),
    ],
)
def test_names_that_a_step_introduces(
    method: str, args: Any, kwargs: Any, texts: tuple[str, ...], names: tuple[str, ...] | None
) -> None:
    found = introduced(method, args, kwargs, texts)
    assert (found and found.names) == names


@pytest.mark.parametrize(
    ("method", "args", "texts", "moves"),
    [
        ("join", ("other",), ("_frame_",), False),
        ("select", ("a", "b"), ("'a'", "'b'"), False),
        ("select", ("a", COLUMN), ("'a'", "_frame_.b"), False),
        ("select", ("a", COLUMN), ("'a'", "F.col('b').alias('c')"), True),
        ("withColumn", ("a", COLUMN), ("'a'", "F.upper('b')"), False),
        ("withColumn", ("a", COLUMN), ("'a'", "_frame_.b"), True),
        ("withColumns", ({"a": 1, "b": 2},), ("{'a': F.lit(1), 'b': _frame_.b}",), True),
        ("toDF", ("a", "b"), ("'a'", "'b'"), True),
        ("agg", (COLUMN,), ("F.sum('a').alias('m')",), False),
        ("agg", (COLUMN,), ("F.max('a').alias('m')",), True),
    ],
)
def test_columns_may_be_under_another_name(
    method: str, args: Any, texts: tuple[str, ...], moves: bool
) -> None:
    found = introduced(method, args, {}, texts)
    assert found is not None
    assert found.moves == moves


def inside(text: str) -> Inside:
    """Return where the fields inside a column are from."""
    return fields_inside(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "F.lit(x)",
        "F.col('a') + x",
        "-F.col('a')",
        "F.col('a') > F.col('b')",
        "F.col('a').isin(names)",
        "F.upper(F.trim(x))",
        "upper('a')",
        "F.sum('a').over(window)",
        "F.col('a').cast('decimal(10, 2)')",
        "F.col('a').cast(T.StringType())",
        "F.col('a').cast(DecimalType(10, 2))",
    ],
)
def test_a_column_without_fields(text: str) -> None:
    assert inside(text) is Inside.NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "_frame_.a",
        "_frame_['a']",
        "_frame_.a.b",
        "F.col('a')['b'][0]",
        "F.col('a').getField('b')",
        "F.when(F.col('a') > 1, 'b').when(c == 2, _frame_.b).otherwise(F.lit(None))",
        "F.coalesce('a', _frame_.b)",
        "F.collect_list('a')",
        "F.array()",
        "F.col('a').alias('b', metadata={})",
    ],
)
def test_a_column_with_the_fields_of_others(text: str) -> None:
    assert inside(text) is Inside.MOVED


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x.y",
        "x['a']",
        "F.struct('a')",
        "F.coalesce('a', F.struct('b'))",
        "F.coalesce('a', x)",
        "F.collect_list(F.struct('a'))",
        "F.from_json('a', schema)",
        "F.expr('named_struct(1, 2)')",
        "F.transform('a', lambda x: F.struct(x))",
        "F.when(F.col('a') > 1, F.struct('b'))",
        "F.when(c, 1).otherwise(x)",
        "F.col('s').withField('b', F.lit(1))",
        "F.struct('a').alias('s')",
        "F.col('a').cast('struct<b: int>')",
        "F.col('a').cast(T.StructType([]))",
        "F.col('a').cast(x)",
        "a_udf('a')",
        "module.a_udf('a')",
        "make()()",
        "x if flag else y",
        "x or y",
    ],
)
def test_a_column_that_may_have_fields_of_its_own(text: str) -> None:
    assert inside(text) is Inside.NEW


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["'a'", "F.col('b')", "_frame_.c"], ("a", "b", "c")),
        (["F.year('day').alias('y')"], ("y",)),
        (["F.year('day')"], None),
        (["F.window('at', '1 day').alias('w')"], None),
        (["*keys"], None),
        (["['a', 'b']"], None),
    ],
)
def test_names_of_keys(texts: list[str], names: tuple[str, ...] | None) -> None:
    found = introduced_keys(texts)
    assert (found and found.names) == names


def test_a_frame_that_is_grouped_by_nothing_has_no_keys() -> None:
    assert introduced_keys([]) == Introduced(())
