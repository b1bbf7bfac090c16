"""The text of a call is what it means: names of frames, layout and quotes do not show in it."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from conformare.capture.source import _callsite
from conformare.capture.source._callsite import Authored, PerCode, authored_call, users_frame
from conformare.capture.source._functions import function_text


class Frame:
    """Stands for a data frame: every method returns what the source says at its call."""

    def __init__(self, log: list[Authored | None]) -> None:
        self.log = log

    def filter(self, *_: Any, **__: Any) -> Frame:
        """Stand for a step."""
        self.log.append(authored_call(sys._getframe(1), ("filter",), is_frame, function_text))
        return Frame(self.log)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, list):
            self.log.append(authored_call(sys._getframe(1), ("select",), is_frame, function_text))
        return item

    @property
    def na(self) -> Frame:
        """Stand for `df.na`."""
        return self


def is_frame(value: Any) -> bool:
    """Tell stand-ins from other values."""
    return isinstance(value, Frame)


POSITIONS = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="Python 3.10 does not know the columns of code"
)


@pytest.fixture
def log() -> list[Authored | None]:
    """What the calls of the test's frames looked like."""
    return []


@pytest.fixture(params=[False, True], ids=["by position", "by line"])
def without_positions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find calls also in the way of Python 3.10, which knows only the line of an instruction."""
    monkeypatch.setattr(_callsite, "_sites", PerCode())
    if request.param:
        monkeypatch.setattr(_callsite, "_end_of_instruction", lambda _: None)


def args_of(log: list[Authored | None]) -> list[tuple[str, ...] | None]:
    """Return the texts of the positional arguments of each call."""
    return [None if entry is None else entry.args for entry in log]


@pytest.mark.usefixtures("without_positions")
def test_layout_quotes_comments_and_frame_names_do_not_count(log: list[Authored | None]) -> None:
    d = flights = Frame(log)
    # fmt: off
    d.filter(d["a"] == 'x', how = "left")  # noqa: Q000 - the case
    flights.filter(
        flights[ 'a' ] == "x",  # noqa: Q000 - the case
        how="left",
    )
    # fmt: on
    assert args_of(log) == [("_frame_['a'] == 'x'",)] * 2
    assert [entry and entry.kwargs for entry in log] == [{"how": "'left'"}] * 2


@pytest.mark.usefixtures("without_positions")
def test_every_call_of_a_chain_is_told_from_the_others(log: list[Authored | None]) -> None:
    df = Frame(log)
    out = (
        df.filter(1)
        .filter(
            2,
        )
        .filter(3)
    )
    assert args_of(log) == [("1",), ("2",), ("3",)]
    assert [entry and (entry.target, entry.receiver) for entry in log] == [
        (None, "df"),
        (None, None),
        ("out", None),
    ]
    assert out is not df


@POSITIONS
def test_calls_on_one_line_are_told_apart_by_their_place(log: list[Authored | None]) -> None:
    df = Frame(log)
    df.filter(df.filter(1).filter(2), key=3).filter(4)
    assert args_of(log) == [("1",), ("2",), ("_frame_",), ("4",)]


def test_keyword_arguments_have_one_order(log: list[Authored | None]) -> None:
    df = Frame(log)
    more = {"z": 1}
    df.filter(b=1, a=2, **more)
    (entry,) = log
    assert entry is not None
    assert list(entry.kwargs.items()) == [("**", "{'z': 1}"), ("a", "2"), ("b", "1")]


def test_frames_are_known_wherever_they_are_kept(log: list[Authored | None]) -> None:
    holder = types.SimpleNamespace(df=Frame(log), number=1)
    tables, pair, other = {"t": Frame(log)}, (Frame(log), 2), {"t": 1}
    holder.df.filter(holder.df["x"], tables["t"], pair[0], pair[1], other["t"], holder.number)
    assert args_of(log) == [
        ("_frame_['x']", "_frame_", "_frame_", "pair[1]", "other['t']", "holder.number")
    ]


@POSITIONS
def test_a_subscript_is_read_like_a_call(log: list[Authored | None]) -> None:
    df = Frame(log)
    df[["a", "b"]]
    assert args_of(log) == [("['a', 'b']",)]


def test_accessors_do_not_hide_the_receiver(log: list[Authored | None]) -> None:
    flights = Frame(log)
    flights.na.filter(0)
    assert [entry and entry.receiver for entry in log] == ["flights"]


def test_an_attribute_can_be_the_target(log: list[Authored | None]) -> None:
    holder = types.SimpleNamespace()
    holder.late = Frame(log).filter(1)
    typed: Frame = Frame(log).filter(2)
    a, b = Frame(log).filter(3), 4
    assert [entry and entry.target for entry in log] == ["late", "typed", None]
    assert is_frame(a), (b, typed)


def test_code_without_source_shows_nothing(log: list[Authored | None]) -> None:
    exec(compile("df.filter(1)", "<nowhere>", "exec"), {"df": Frame(log)})  # noqa: S102 - the case
    assert log == [None]


def test_a_call_of_another_name_is_not_taken_for_ours(log: list[Authored | None]) -> None:
    df = Frame(log)
    keep = df.filter
    keep(1)
    assert log == [None]


def test_a_call_is_read_once(log: list[Authored | None], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = _callsite._read_call

    def counting(*args: Any) -> Any:
        read.append(1)
        return original(*args)

    monkeypatch.setattr(_callsite, "_read_call", counting)
    df = Frame(log)
    for number in range(5):
        df.filter(number)
    assert (len(read), args_of(log)) == (1, [("number",)] * 5)


def test_code_made_anew_leaves_nothing_behind(
    log: list[Authored | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_callsite, "_sites", PerCode())
    code = compile("df.filter(1)", "<nowhere>", "exec")
    for _ in range(10):
        exec(code, {"df": Frame(log)})  # noqa: S102 - the case
    assert len(_callsite._sites) == 1
    del code
    for number in range(10):
        exec(compile(f"df.filter({number})", "<nowhere>", "exec"), {"df": Frame(log)})  # noqa: S102 - the case
    assert len(_callsite._sites) == 0


def test_a_new_code_object_in_the_place_of_an_old_one_is_not_taken_for_it() -> None:
    values: PerCode[int] = PerCode()
    one, other = (compile("1", "<one>", "eval") for _ in range(2))
    values.put(one, 1)
    values._values[id(other)] = values._values[id(one)]
    assert (values.get(one), values.get(other)) == (1, None)


def test_the_place_of_a_call_is_a_value(log: list[Authored | None]) -> None:
    def job(df: Frame) -> None:
        for _ in range(2):
            df.filter(1)
        df.filter(1)

    job(Frame(log))
    job(Frame(log))
    places = [entry.site for entry in log if entry is not None and entry.site is not None]
    one, same, other = places[:3]
    assert places == [one, one, other] * 2
    assert one == same != other
    file, function, line, _ = one
    name = "test_the_place_of_a_call_is_a_value.<locals>.job"
    expected = name if sys.version_info >= (3, 11) else "job"
    assert (file, function, line) == (__file__, expected, job.__code__.co_firstlineno)


def test_text_of_other_code_of_the_same_name_is_not_taken_for_this_one(jobs: Any) -> None:
    # As Python 3.13 keeps the text of `python -c`, under a name that all exec() shares.
    jobs.file("df.filter(1)", "<string>")
    assert jobs.run("df.filter(2)", "<stdin>") == [""]
    jobs.log.clear()
    exec(compile("df.filter(2)", "<string>", "exec"), {"df": jobs.frame()})  # noqa: S102 - the case
    assert jobs.log == [None]


def test_a_cell_of_a_notebook_is_read_like_a_file(jobs: Any) -> None:
    cell = "thr = 5\nout = df.filter('a' if thr else df)"
    assert jobs.run(cell, "/tmp/ipykernel_1/2.py") == ["'a' if 5 else _frame_"]  # noqa: S108 - as it names them
    assert jobs.run(cell, "<ipython-input-1-0123456789ab>") == ["'a' if 5 else _frame_"]


def test_a_cell_with_more_than_python_in_it_has_no_text(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "file", lambda *_: jobs.__class__.file(jobs, "%%time\ndf", "/c.py"))
    assert jobs.run("df.filter(1)") == [""]


@pytest.mark.parametrize("name", ["pyspark", "pyspark.sql.dataframe", "conformare.capture._x"])
def test_the_users_frame_is_the_first_that_is_not_sparks_or_ours(name: str) -> None:
    namespace: dict[str, Any] = {"__name__": name, "users_frame": users_frame, "sys": sys}
    exec("def call(): return users_frame(sys._getframe())", namespace)  # noqa: S102 - the case
    assert namespace["call"]() is sys._getframe()
    namespace["__name__"] = f"{name.partition('.')[0]}_jobs"
    assert namespace["call"]() is not sys._getframe()
    assert users_frame(None) is None


def test_the_locals_of_a_class_in_the_making_are_not_asked(jobs: Any) -> None:
    class Hostile(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            raise AssertionError(key)

    class Meta(type):
        @classmethod
        def __prepare__(cls, *_: Any, **__: Any) -> Any:
            return Hostile()

    script = "class Job(metaclass=Meta):\n df.filter(x.y)"
    assert jobs.text(script, Meta=Meta, x=types.SimpleNamespace(y=1)) == "x.y"
