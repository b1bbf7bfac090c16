"""The columns of a result, as far as a step says them; anything less than certain is asked for."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from pyspark.sql import Column

from conformare.capture.spark._fields import keeps_fields
from conformare.capture.spark._shapes import introduced_names, names_of_keys

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
    assert introduced_names(method, args, kwargs, texts) == names


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "F.lit(1)",
        "F.col('a') + x",
        "-F.col('a')",
        "F.col('a') > F.col('b')",
        "_frame_.a",
        "_frame_['a']",
        "_frame_.a.b",
        "F.col('a')['b'][0]",
        "F.col('a').getField('b')",
        "F.col('a').isin(names)",
        "F.upper(F.trim(x))",
        "upper('a')",
        "F.sum('a').over(window)",
        "F.when(F.col('a') > 1, 'b').when(c == 2, _frame_.b).otherwise(F.lit(None))",
        "F.coalesce('a', _frame_.b)",
        "F.collect_list('a')",
        "F.col('a').cast('decimal(10, 2)')",
        "F.col('a').cast(T.StringType())",
        "F.col('a').cast(DecimalType(10, 2))",
        "F.col('a').alias('b', metadata={})",
    ],
)
def test_a_column_that_keeps_fields(text: str) -> None:
    assert keeps_fields(ast.parse(text, mode="eval").body)


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
        "F.lit(x)",
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
    assert not keeps_fields(ast.parse(text, mode="eval").body)


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
    assert names_of_keys(texts) == names
