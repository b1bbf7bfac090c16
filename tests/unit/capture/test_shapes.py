"""The columns of a result, as far as a step says them; anything less than certain is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import Column

from conformare.capture.spark._shapes import introduced_names, names_of_keys

# Only its class is looked at.
COLUMN: Any = object.__new__(Column)


@pytest.mark.parametrize(
    ("method", "args", "kwargs", "texts", "names"),
    [
        ("join", ("other",), {}, ("_frame_",), ()),
        ("drop", ("a",), {}, ("'a'",), ()),
        ("withColumn", ("a", COLUMN), {}, ("'a'", "x"), ("a",)),
        ("withColumn", (), {"colName": "a", "col": COLUMN}, (), ("a",)),
        ("withColumns", ({"a": COLUMN, "b": COLUMN},), {}, ("x",), ("a", "b")),
        ("withColumns", ({},), {}, ("x",), None),
        ("select", ("a", "b"), {}, ("'a'", "b"), ("a", "b")),
        ("select", ("*",), {}, ("'*'",), None),
        ("select", ("a.b",), {}, ("'a.b'",), None),
        ("select", (["a"],), {}, ("['a']",), None),
        ("select", (COLUMN,), {}, ("F.col('a')",), ("a",)),
        ("select", (COLUMN,), {}, ("_frame_.a",), ("a",)),
        ("select", (COLUMN,), {}, ("_frame_['a']",), ("a",)),
        ("select", (COLUMN,), {}, ("F.sum(x).over(w).alias('total')",), ("total",)),
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
    ("texts", "names"),
    [
        (["'a'", "F.col('b')", "_frame_.c"], ("a", "b", "c")),
        (["F.year('day').alias('y')"], ("y",)),
        (["F.year('day')"], None),
        (["*keys"], None),
        (["['a', 'b']"], None),
    ],
)
def test_names_of_keys(texts: list[str], names: tuple[str, ...] | None) -> None:
    assert names_of_keys(texts) == names
