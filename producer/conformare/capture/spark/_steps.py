"""Recording of steps: frames made out of frames, directly or by way of a grouping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from types import FrameType
from typing import Any

from conformare.capture._lineage import DataNamed, Introduced
from conformare.capture._store import store
from conformare.capture.checks._profiles import step_done
from conformare.capture.source._callsite import Authored
from conformare.capture.source._kinds import is_data_frame
from conformare.capture.source._logic import authored
from conformare.capture.spark._shapes import (
    has_same_columns,
    introduced,
    introduced_keys,
    named_by_data,
    pivoted_by,
    size_of_keys,
)
from conformare.capture.spark._table import Tracked

GROUPING_KEY = "__conformare_grouping__"
"""Where a grouped frame carries what it was grouped by, in its `__dict__`."""

# Aggregations that pivot; what a function makes of a group has columns that its author names.
_PIVOTING = frozenset(("agg", "count", "mean", "avg", "max", "min", "sum"))
_KEEPS_KEYS = "spark.sql.retainGroupColumns"
_PLAIN_GROUPINGS = ("groupBy", "groupby")


@dataclass(frozen=True)
class Call:
    """One call of a tracked method that has returned.

    Attributes:
        tracked: The method.
        owner: The object that it belongs to.
        args: The positional arguments.
        kwargs: The keyword arguments.
        result: What it returned.
        caller: The Python frame that called it.
    """

    tracked: Tracked
    owner: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any
    caller: FrameType | None

    @cached_property
    def authored(self) -> Authored:
        """What was written at the call."""
        # `df[["a"]]` and `df[condition]` are calls of these, written as a subscript.
        return authored(self.caller, (self.tracked.method,), self.args, self.kwargs)

    @property
    def logic(self) -> dict[str, Any]:
        """What was written at the call, as the logic of a step."""
        return logic_of(self.authored)

    def argument(self, position: int, name: str) -> Any:
        """Return an argument that may be passed by position or by name; None if it was not."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name)


@dataclass(frozen=True)
class _Grouping:
    """What a grouped frame was made from, and by what."""

    frame: Any
    keys: dict[str, Any]
    receiver: str | None = None
    size: int = 0
    pivoted: str | None = None


def _frames_in(values: Any) -> Iterator[Any]:
    """Yield the data frames among arguments, and those in their lists."""
    for value in values:
        if is_data_frame(value):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _frames_in(value)


def _parents(call: Call, *owners: Any) -> list[Any]:
    return [*owners, *_frames_in(call.args), *_frames_in(call.kwargs.values())]


def logic_of(written: Authored) -> dict[str, Any]:
    """Return what was written at a call as the logic of a step."""
    return {"args": list(written.args), "kwargs": written.kwargs}


def _record(
    call: Call,
    op: str,
    parents: list[Any],
    written: Authored,
    logic: dict[str, Any],
    introduces: Introduced | None = None,
    data_named: DataNamed | None = None,
) -> None:
    """Take note of every frame that the call made."""
    method, owner = call.tracked.method, call.tracked.owner
    several = isinstance(call.result, (list, tuple))
    for part, child in enumerate(_frames_in(call.result if several else [call.result])):
        number = store.add_step(
            op,
            parents,
            child,
            logic=logic,
            label=written.target,
            receiver=written.receiver,
            same_columns=has_same_columns(method, owner),
            introduces=introduces,
            data_named=data_named,
            place=written.site,
            variant=(part, introduces, data_named),
        )
        if number is not None:
            step_done(op, child, number)


def record_step(call: Call) -> None:
    """Take note of a step of a frame, of `df.na` or of `df.stat`."""
    frame = call.owner if is_data_frame(call.owner) else call.owner.df
    introduces = introduced(call.tracked.method, call.args, call.kwargs, call.authored.args)
    parents = _parents(call, frame)
    named = named_by_data(call.tracked.method, call.args, call.kwargs)
    _record(call, call.tracked.operation, parents, call.authored, call.logic, introduces, named)


def record_grouping(call: Call) -> None:
    """Remember what a frame is grouped by until it is aggregated."""
    keys: dict[str, Any] = {"group_keys": call.logic}
    if call.tracked.method not in _PLAIN_GROUPINGS:
        keys["grouping"] = call.tracked.method
    call.result.__dict__[GROUPING_KEY] = _Grouping(
        call.owner, keys, call.authored.receiver, size_of_keys(call.args)
    )


def record_pivot(call: Call) -> None:
    """Remember the pivot of a grouped frame."""
    grouping = _grouping_of(call.owner)
    keys = {**grouping.keys, "pivot": call.logic}
    written = call.authored
    values = written.kwargs.get("values") or "".join(written.args[1:2])
    pivoted = pivoted_by(call.args, call.kwargs, values)
    call.result.__dict__[GROUPING_KEY] = replace(grouping, keys=keys, pivoted=pivoted)


def _grouping_of(grouped: Any) -> _Grouping:
    """Return what a frame was grouped by; one grouped before tracking began has no keys."""
    known = grouped.__dict__.get(GROUPING_KEY)
    return known if isinstance(known, _Grouping) else _Grouping(grouped._df, {"group_keys": {}})  # noqa: SLF001 - Spark offers no public way back


def record_aggregation(call: Call) -> None:
    """Take note of the step from a grouped frame to its aggregation."""
    written = call.authored
    if is_data_frame(call.owner):  # df.agg(...) is groupBy().agg(...)
        grouping = _Grouping(call.owner, {"group_keys": {"args": [], "kwargs": {}}})
    else:
        grouping = _grouping_of(call.owner)
        written = replace(written, receiver=grouping.receiver)
    logic = {**logic_of(written), **grouping.keys}
    op = f"group_by.{call.tracked.method}"
    introduces = _aggregated(call, grouping)
    named = _named_by_pivot(call, grouping)
    _record(call, op, _parents(call, grouping.frame), written, logic, introduces, named)


def _named_by_pivot(call: Call, grouping: _Grouping) -> DataNamed | None:
    """Return which columns of an aggregation values of rows have named."""
    if grouping.pivoted is None or call.tracked.method not in _PIVOTING:
        return None
    keeps_keys = str(grouping.frame.sparkSession.conf.get(_KEEPS_KEYS)).lower() == "true"
    return DataNamed(grouping.pivoted, grouping.size if keeps_keys else 0)


def _aggregated(call: Call, grouping: _Grouping) -> Introduced | None:
    """Return what the columns of an aggregation are, None where only its result knows."""
    method, keys = call.tracked.method, grouping.keys
    said = keys["group_keys"]
    if "pivot" in keys or method not in ("agg", "count") or said.get("kwargs", True):
        return None
    by = introduced_keys(said["args"])
    values = (
        Introduced(("count",))
        if method == "count"
        else introduced(method, call.args, call.kwargs, call.authored.args)
    )
    if by is None or values is None:
        return None
    return Introduced((*by.names, *values.names), by.moves or values.moves)


def record_cogroup(call: Call) -> None:
    """Take note of a step that two grouped frames make together."""
    groupings = [_grouping_of(call.owner._gd1), _grouping_of(call.owner._gd2)]  # noqa: SLF001 - Spark offers no public way back
    written = replace(call.authored, receiver=groupings[0].receiver)
    logic = {**logic_of(written), "cogroup": [grouping.keys for grouping in groupings]}
    op = f"group_by.cogroup.{call.tracked.method}"
    frames = [grouping.frame for grouping in groupings]
    _record(call, op, _parents(call, *frames), written, logic)
