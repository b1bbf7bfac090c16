"""For want of source text a step is known by its arguments: boundedly, and by no code of theirs."""

from __future__ import annotations

import code
import collections
import functools
import os
import subprocess
import sys
import textwrap
import time
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.capture.source._callsite import Authored
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.source._logic import authored
from conformare.capture.source._values import text_of


class Spark:
    """What the modules of Spark hold, as far as recognising its values goes."""

    class DataFrame:
        """A frame that asks for its log when it is used."""

        def __init__(self, log: list[Authored]) -> None:
            self.log = log

        def filter(self, *args: Any, **kwargs: Any) -> Spark.DataFrame:
            """Note what is recorded of the call."""
            self.log.append(authored(sys._getframe(1), ("filter",), args, kwargs))
            return Spark.DataFrame(self.log)

    class Column:
        """An expression."""

        def __init__(self, text: str) -> None:
            self.text = text

        def __str__(self) -> str:
            return f"Column<'{self.text}'>"

    class DataType:
        """A type, as `pyspark.sql.types` has them."""

        __module__ = "pyspark.sql.types"

        def simpleString(self) -> str:
            """Return the type as Spark writes it."""
            return "struct<a:int>"


@pytest.fixture(params=["pyspark.sql", "pyspark.sql.connect"])
def spark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Spark]:
    """Spark, where the classes of a session are those of `pyspark.sql` and where they are not."""
    modules = {
        "pyspark.sql": types.ModuleType("pyspark.sql"),
        "pyspark.sql.types": types.ModuleType("pyspark.sql.types"),
    }
    modules["pyspark.sql.types"].__dict__["DataType"] = Spark.DataType
    if request.param == "pyspark.sql":
        modules["pyspark.sql"].__dict__.update(DataFrame=Spark.DataFrame, Column=Spark.Column)
    else:
        for kind in (Spark.DataFrame, Spark.Column):
            name = f"{request.param}.{kind.__name__.lower()}"
            modules[name] = types.ModuleType(name)
            modules[name].__dict__[kind.__name__] = kind
        # As in Spark 3.5: classes of the same names that these do not inherit from.
        modules["pyspark.sql"].__dict__.update(
            DataFrame=type("D", (), {}), Column=type("C", (), {})
        )
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return Spark


def test_values_of_spark_are_known(spark: type[Spark]) -> None:
    class Own(Spark.DataFrame):
        pass

    assert is_data_frame(spark.DataFrame([]))
    assert is_data_frame(Own([]))
    assert not is_data_frame(spark.Column("a"))
    assert not is_data_frame(None)
    assert text_of([spark.DataFrame([]), spark.Column("a > 1")]) == "[_frame_, Column<'a > 1'>]"
    assert text_of(spark.DataType()) == "struct<a:int>"


def test_without_spark_nothing_is_a_value_of_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    assert not is_data_frame(Spark.DataFrame([]))
    assert text_of(Spark.Column("a")) == "Spark.Column"
    assert "pyspark.sql" not in sys.modules


def test_a_type_of_the_users_own_is_not_asked(spark: type[Spark]) -> None:
    class Money(spark.DataType):  # type: ignore[misc, name-defined]  # a class that a fixture has made
        def simpleString(self) -> str:
            raise AssertionError

    assert text_of(Money()).endswith("Money")


def test_the_numbers_that_spark_gives_to_variables_do_not_count(spark: type[Spark]) -> None:
    def transformed(x: int, y: int) -> str:
        return text_of(spark.Column(f"f(a_{7}, LambdaFunction(+(x_{x}, y_{y}), x_{x}, y_{y}))"))

    assert transformed(3, 4) == transformed(8, 9)
    assert transformed(3, 4) == "Column<'f(a_7, LambdaFunction(+(x_0, y_1), x_0, y_1))'>"
    assert text_of(spark.Column("x_3")) == "Column<'x_3'>"


def test_an_expression_too_deep_or_too_long_is_still_something(spark: type[Spark]) -> None:
    class Deep(Spark.Column):
        def __str__(self) -> str:
            return str(self)

    assert text_of(Deep("a")) == "Column"
    long, other = (text_of(spark.Column("a" * 5_000 + end)) for end in "xy")
    assert long.startswith("text:")
    assert len(long) < 30
    assert long != other


def lines_of(spark: type[Spark], *lines: str) -> list[Authored]:
    """Enter lines into an interpreter, as a person would."""
    log: list[Authored] = []
    interpreter = code.InteractiveInterpreter(
        {"df": spark.DataFrame(log), "col": spark.Column, "__name__": "__console__"}
    )
    for line in lines:
        assert not interpreter.runsource(line)
    return log


def test_an_interpreter_without_source_shows_the_arguments(spark: type[Spark]) -> None:
    (call,) = lines_of(spark, "thr = 5", "out = df.filter(col(f'a > {thr}'), df, how=['x', 1])")
    assert call.args == ("Column<'a > 5'>", "_frame_")
    assert call.kwargs == {"how": "['x', 1]"}
    assert call.site is not None
    assert call.site[:3] == ("<input>", "<module>", 1)
    functions = lines_of(spark, "df.filter(lambda x: 1)", "df.filter(lambda x: 2)")
    assert [function.args[0][:5] for function in functions] == ["code:"] * 2
    assert functions[0].args != functions[1].args


def test_the_source_is_asked_before_the_arguments(spark: type[Spark]) -> None:
    log: list[Authored] = []
    flights = spark.DataFrame(log)
    limit = 5
    out = flights.filter(flights, spark.Column("a"), limit, how=limit)
    (call,) = log
    assert (call.args, call.kwargs) == (("_frame_", "spark.Column('a')", "5"), {"how": "5"})
    assert (call.target, call.receiver) == ("out", "flights")
    assert call.site is not None
    assert call.site[0] == __file__
    assert out is not flights


def test_where_nobody_has_called_there_is_no_place() -> None:
    assert authored(None, ("filter",), (1,), {"b": 2, "a": 1}) == Authored(
        ("1",), {"a": "1", "b": "2"}
    )


class Hostile:
    """Runs code whenever it is looked at."""

    def _fail(self, *_: Any) -> Any:
        raise AssertionError

    __repr__ = __str__ = __len__ = __iter__ = __hash__ = __bool__ = __eq__ = _fail
    __getattr__ = __getitem__ = __int__ = __float__ = __format__ = _fail
    __class__ = property(_fail)


class HostileText(str):
    """A text that runs code."""

    __slots__ = ()
    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = Hostile._fail


class HostileList(list[Any]):
    """A list that runs code."""

    __repr__ = __len__ = __iter__ = __getitem__ = Hostile._fail


class HostileDict(dict[str, Any]):
    """A mapping that runs code."""

    __repr__ = __len__ = __iter__ = __getitem__ = Hostile._fail
    items = keys = values = Hostile._fail


class HostileNumber(float):
    """A number that runs code."""

    __repr__ = __str__ = __eq__ = __hash__ = Hostile._fail


class Row(NamedTuple):
    """A tuple with names, like a row of Spark."""

    a: int
    b: int


class HostileMeta(type):
    """A class of classes that run code."""

    __repr__ = __str__ = __hash__ = __eq__ = Hostile._fail


class Quiet(metaclass=HostileMeta):
    """A class that runs code itself."""


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (1.5, "1.5"),
        (1 + 2j, "(1+2j)"),
        ("it's", '"it\'s"'),
        (b"x", "b'x'"),
        (..., "ellipsis"),
        ((1, [2, (3,)]), "[1, [2, [3]]]"),
        ({"a": 1, 2: [3]}, "{'a': 1, 2: [3]}"),
        ({"b", "a", "c"}, "set['a', 'b', 'c']"),
        (frozenset({1, (2, 3)}), "set[1, tuple]"),
        (set(), "set[]"),
        (collections.OrderedDict(a=1), "{'a': 1}"),
        (Row(1, 2), "[1, 2]"),
        (functools.partial(int, "1", base=2), "partial[int, ['1'], {'base': 2}]"),
        (len, "len"),
        (os.path.join, "join"),
        (textwrap.TextWrapper().wrap, "TextWrapper.wrap"),
        (int, "int"),
        (object(), "object"),
        (iter([]), "list_iterator"),
        (Hostile(), "Hostile"),
        (Hostile, "Hostile"),
        (HostileText("a"), "'a'"),
        (HostileList([1, Hostile()]), "[1, Hostile]"),
        (HostileDict(a=Hostile()), "{'a': Hostile}"),
        (HostileNumber(1.5), "1.5"),
        (Quiet(), "Quiet"),
        (Quiet, "Quiet"),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_an_argument_is_shown_without_running_its_code(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a"] * 1_000_000, f"[{', '.join(['' + repr('a')] * 100)}, ... of 1000000]"),
        ({*range(1_000_000)}, "set[... of 1000000]"),
        (range(10**9), "range"),
        ("x" * 1_001, "text:"),
        (10**5_000, "integer of 16610 bits"),
    ],
    ids=["list", "set", "range", "text", "integer"],
)
def test_only_the_beginning_of_what_is_large_is_looked_at(value: Any, text: str) -> None:
    assert text_of(value).startswith(text)


def test_what_is_nested_without_end_comes_to_one() -> None:
    circle: list[Any] = []
    circle.extend([circle] * 50)
    wide: Any = "x"
    for _ in range(9):
        wide = dict.fromkeys(range(100), wide)
    start = time.perf_counter()
    assert max(len(text_of(circle)), len(text_of(wide))) < 100_000
    assert time.perf_counter() - start < 5


def test_the_size_of_what_is_large_counts() -> None:
    assert text_of([0] * 1_000) != text_of([0] * 1_001)
    assert text_of("x" * 200_000) != text_of("x" * 200_001)
    assert text_of("x" * 5_000) != text_of("x" * 4_999 + "y")
    assert text_of(b"x" * 200_000) != text_of(b"x" * 200_001)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
        | st.sets(st.text(max_size=3), max_size=4)
    ),
)


@given(one=VALUES, other=VALUES)
def test_equal_arguments_have_one_text_and_others_another(one: Any, other: Any) -> None:
    assert (text_of(one) == text_of(other)) is (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> str:
    """Return the text of a value that does not depend on the order of a set."""
    if isinstance(value, set):
        return f"set{sorted(value)}"
    if isinstance(value, list):
        return f"[{','.join(map(repr_of, value))}]"
    if isinstance(value, dict):
        return f"dict[{','.join(repr(key) + repr_of(item) for key, item in value.items())}]"
    return repr(value)


def processes(script: str) -> Iterator[str]:
    """Run a script in processes that order sets and place objects differently."""
    for seed in ("1", "2"):
        yield subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout


def test_every_process_has_the_same_texts() -> None:
    script = textwrap.dedent(
        """
        from conformare.capture.source._values import text_of
        def f(x, y=object()):
            return x in {"a", "b", "c"} and (lambda z: z), f, object
        class Job:
            def run(self): return {"d", "e", "f"}
        print(text_of([f, Job().run, Job, object(), {"g", "h", "i"}, lambda x: x in {"j", "k"}]))
        """
    )
    one, other = processes(script)
    assert one == other
    assert " at 0x" not in one
    assert one.count("code:") == 3
