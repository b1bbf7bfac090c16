"""The source text of a call in the user's code: what was written, and what it is assigned to."""

from __future__ import annotations

import ast
import inspect
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any, Generic, TypeAlias, TypeVar

from conformare.capture._lineage import Place
from conformare.capture.source._normalise import FunctionText, IsFrame, Normaliser
from conformare.capture.source._scopes import Source, source_of

V = TypeVar("V")

_MOST_FILES = 256
_OURS = "conformare.capture"
_LIBRARIES = ("pyspark", _OURS)
_INSIDE_LIBRARIES = tuple(f"{library}." for library in _LIBRARIES)
# Attributes that stand between a frame and the method in the source: `df.na.fill(0)`.
_ACCESSORS = ("na", "stat", "write", "writeStream")


@dataclass(frozen=True)
class Authored:
    """What the source shows of one call.

    Attributes:
        args: Normalised text of the positional arguments.
        kwargs: Normalised text of the keyword arguments, by name.
        target: Variable that the result is assigned to.
        receiver: Variable that the method belongs to.
        site: The place of the call, None where there is no code of the user's. It is a value: the
            same in every run of the same file.
    """

    args: tuple[str, ...]
    kwargs: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    receiver: str | None = None
    site: Place | None = None


class PerCode(Generic[V]):
    """Values that live as long as the code object that they belong to.

    Code that is made anew over and over (exec, notebooks) leaves nothing behind. Code objects are
    told apart by identity: comparing them compares all their constants each time.
    """

    def __init__(self) -> None:
        self._values: dict[int, tuple[weakref.ref[CodeType], V]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, code: CodeType) -> V | None:
        """Return the value of a code object, None if it has none yet."""
        known = self._values.get(id(code))
        return known[1] if known is not None and known[0]() is code else None

    def put(self, code: CodeType, value: V) -> V:
        """Keep a value for a code object, and return it."""
        key, values = id(code), self._values
        # Called before the memory of the code, and so its id, can be used again.
        values[key] = (weakref.ref(code, lambda _: values.pop(key, None)), value)
        return value


_Calls: TypeAlias = dict[tuple[int, tuple[str, ...]], Authored | None]
_sites: PerCode[_Calls] = PerCode()


def users_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that is neither Spark's code nor ours.

    Args:
        frame: Where to start looking.
    """
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if name not in _LIBRARIES and not name.startswith(_INSIDE_LIBRARIES):
            return frame
        frame = frame.f_back
    return None


def site_of(frame: FrameType) -> Place:
    """Return the place that a frame is at."""
    code = frame.f_code
    name: str = getattr(code, "co_qualname", code.co_name)  # Python 3.10 has the short one only
    return code.co_filename, name, code.co_firstlineno, frame.f_lasti


def authored_call(
    frame: FrameType | None,
    names: tuple[str, ...],
    is_frame: IsFrame,
    function_text: FunctionText,
) -> Authored | None:
    """Return what the source says at the call that a frame is busy with.

    Args:
        frame: The user's frame.
        names: Names of the method; a call of another name is not the one that is meant.
        is_frame: Tells data frames from other values.
        function_text: Tells the user's functions from other values.

    Returns:
        None when there is no source text, or it does not show such a call.
    """
    if frame is None:
        return None
    place = (frame.f_lasti, names)
    calls = _sites.get(frame.f_code)
    if calls is not None and place in calls:
        return calls[place]
    found, varies = _read_call(frame, names, is_frame, function_text)
    if not varies:
        if calls is None:
            calls = _sites.put(frame.f_code, {})
        calls[place] = found
    return found


def _read_call(
    frame: FrameType, names: tuple[str, ...], is_frame: IsFrame, function_text: FunctionText
) -> tuple[Authored | None, bool]:
    """Return what is written at a call, and whether that may be something else next time."""
    source = source_of(frame.f_code.co_filename, frame.f_globals)
    nodes = [] if source is None else list(_nodes_at(source, frame, names))
    if source is None or not nodes:
        return None, False
    lookup = _Names(frame)
    texts = []
    varies = False
    for node in nodes:
        normaliser = Normaliser(
            source, source.places[node], frame.f_globals, lookup, is_frame, function_text
        )
        try:
            texts.append(_arguments(node, normaliser))
        except (RecursionError, ValueError):  # nested too deeply, or too long an integer
            return None, False
        varies = varies or normaliser.varies
    args = tuple(arg for positional, _ in texts for arg in positional)
    kwargs = {name: text for _, keywords in texts for name, text in sorted(keywords.items())}
    authored = Authored(args, kwargs, site=site_of(frame))
    if len(nodes) == 1:
        target = source.targets.get(nodes[0])
        authored = replace(authored, target=target, receiver=_receiver(nodes[0]))
    return authored, varies


@lru_cache(maxsize=_MOST_FILES)
def _by_end(source: Source) -> dict[tuple[int, int], ast.Call | ast.Subscript]:
    """Return the calls and subscripts of a file by where they end, which no two of them share."""
    return {(node.end_lineno or 0, node.end_col_offset or 0): node for node in source.places}


def _nodes_at(
    source: Source, frame: FrameType, names: tuple[str, ...]
) -> Iterator[ast.Call | ast.Subscript]:
    """Find the call by its place in the bytecode, or else by its name and line."""
    end = _end_of_instruction(frame)
    if end is not None:
        node = _by_end(source).get(end)
        if isinstance(node, ast.Subscript) or (node is not None and _method(node) in names):
            yield node
        return
    # Python 3.10 knows the line only, which is that of the method's name. Several calls of one
    # name on one line cannot be told apart there: each stands for all of them.
    for call in source.places:
        if (
            isinstance(call, ast.Call)
            and _method(call) in names
            and (call.func.end_lineno or 0) == frame.f_lineno
        ):
            yield call


def _end_of_instruction(frame: FrameType) -> tuple[int, int] | None:
    """Return the line and the column (UTF-8 bytes) where the running call ends in the source."""
    positions: Callable[[], Any] | None = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    _, end_line, _, end_column = next(islice(positions(), frame.f_lasti // 2, None))
    # Both are None under `python -X no_debug_ranges`.
    return None if end_line is None or end_column is None else (end_line, end_column)


def _method(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _receiver(node: ast.Call | ast.Subscript) -> str | None:
    expression = node.value if isinstance(node, ast.Subscript) else node.func
    if isinstance(node, ast.Call) and isinstance(expression, ast.Attribute):
        expression = expression.value
    while isinstance(expression, ast.Attribute) and expression.attr in _ACCESSORS:
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _arguments(
    node: ast.Call | ast.Subscript, normaliser: Normaliser
) -> tuple[list[str], dict[str, str]]:
    if isinstance(node, ast.Subscript):
        return [normaliser.text(node.slice)], {}
    args = [normaliser.text(arg) for arg in node.args]
    kwargs: dict[str, str] = {}
    for keyword in node.keywords:
        text = normaliser.text(keyword.value)
        name = keyword.arg or "**"
        kwargs[name] = f"{kwargs[name]}, {text}" if name in kwargs else text
    return args, kwargs


class _Names:
    """The values of names where a frame stands; looks at its locals once, and only if asked."""

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame
        self._locals: Any = None

    def __call__(self, name: str) -> Any:
        if self._locals is None:
            self._locals = _locals_of(self._frame)
        if name in self._locals:
            return self._locals[name]
        return self._frame.f_globals.get(name)


def _locals_of(frame: FrameType) -> Any:
    """Return the locals of a frame, none where they are a mapping of somebody else's making."""
    found = frame.f_locals
    own = frame.f_code.co_flags & inspect.CO_OPTIMIZED or type(found) is dict
    return found if own else {}
