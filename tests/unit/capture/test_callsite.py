"""The text of a call is what it means: names of frames, layout and quotes do not show in it."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from conformare.capture import _callsite
from conformare.capture._callsite import Authored, authored_call


class Frame:
    """Stands for a data frame: every method returns what the source says at its call."""

    def __init__(self, log: list[Authored | None]) -> None:
        self.log = log

    def filter(self, *_: Any, **__: Any) -> Frame:
        """Stand for a step."""
        self.log.append(authored_call(sys._getframe(1), ("filter",), is_frame))
        return Frame(self.log)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, list):
            self.log.append(authored_call(sys._getframe(1), ("select",), is_frame))
        return item

    @property
    def na(self) -> Frame:
        """Stand for `df.na`."""
        return self


def is_frame(value: Any) -> bool:
    """Tell stand-ins from other values."""
    return isinstance(value, Frame)


@pytest.fixture
def log() -> list[Authored | None]:
    """What the calls of the test's frames looked like."""
    return []


@pytest.fixture(params=[False, True], ids=["by position", "by line"])
def without_positions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Find calls also in the way of Python 3.10, which knows only the line of an instruction."""
    monkeypatch.setattr(_callsite, "_sites", {})
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
    assert list(entry.kwargs.items()) == [("**", "more"), ("a", "2"), ("b", "1")]


def test_frames_are_known_wherever_they_are_kept(log: list[Authored | None]) -> None:
    holder = types.SimpleNamespace(df=Frame(log), number=1)
    tables, pair, other = {"t": Frame(log)}, (Frame(log), 2), {"t": 1}
    holder.df.filter(holder.df["x"], tables["t"], pair[0], pair[1], other["t"], holder.number)
    assert args_of(log) == [
        ("_frame_['x']", "_frame_", "_frame_", "pair[1]", "other['t']", "holder.number")
    ]


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

    def counting(*args: Any) -> Authored | None:
        read.append(1)
        return original(*args)

    monkeypatch.setattr(_callsite, "_read_call", counting)
    df = Frame(log)
    for number in range(5):
        df.filter(number)
    assert (len(read), args_of(log)) == (1, [("number",)] * 5)


def test_code_made_anew_does_not_fill_the_memory(
    log: list[Authored | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_callsite, "_sites", {})
    monkeypatch.setattr(_callsite, "_MOST_CODE_OBJECTS", 3)
    for number in range(10):
        exec(compile(f"df.filter({number})", "<nowhere>", "exec"), {"df": Frame(log)})  # noqa: S102 - the case
    assert len(_callsite._sites) <= 3
