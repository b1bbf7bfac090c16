"""The source text of a call in the user's code: what was written, and what it is assigned to."""

from __future__ import annotations

import ast
import linecache
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType
from typing import Any

from conformare.capture._normalise import IsFrame, normalised

# Code made anew over and over (exec, notebooks) must not fill the memory.
_MOST_CODE_OBJECTS = 4_096
_MOST_FILES = 256
_OURS = __name__.rpartition(".")[0]
_LIBRARIES = ("pyspark", _OURS)
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
    """

    args: tuple[str, ...]
    kwargs: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    receiver: str | None = None


@dataclass
class _Source:
    """The calls and subscripts of one file."""

    by_end: dict[tuple[int, int], ast.Call | ast.Subscript] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    targets: dict[ast.expr, str] = field(default_factory=dict)


_lock = threading.Lock()
# Keyed by id, with the code itself in the value so that the id stays its own: comparing code
# objects compares their constants each time.
_sites: dict[int, tuple[CodeType, dict[tuple[int, tuple[str, ...]], Authored | None]]] = {}


def users_frame(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that is neither Spark's code nor ours.

    Args:
        frame: Where to start looking.
    """
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if not any(name == library or name.startswith(f"{library}.") for library in _LIBRARIES):
            return frame
        frame = frame.f_back
    return None


def authored_call(
    frame: FrameType | None, names: tuple[str, ...], is_frame: IsFrame
) -> Authored | None:
    """Return what the source says at the call that a frame is busy with.

    Args:
        frame: The user's frame.
        names: Names of the method; a call of another name is not the one that is meant.
        is_frame: Tells data frames from other values.

    Returns:
        None when there is no source text, or it does not show such a call.
    """
    if frame is None:
        return None
    code, place = frame.f_code, (frame.f_lasti, names)
    with _lock:
        sites = _sites.get(id(code))
        if sites is not None and place in sites[1]:
            return sites[1][place]
    found = _read_call(frame, names, is_frame)
    with _lock:
        if len(_sites) >= _MOST_CODE_OBJECTS:
            _sites.clear()
        _sites.setdefault(id(code), (code, {}))[1][place] = found
    return found


def _read_call(frame: FrameType, names: tuple[str, ...], is_frame: IsFrame) -> Authored | None:
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    source = _parsed("".join(lines))
    if source is None:
        return None
    scope = _Names(frame)
    nodes = list(_nodes_at(source, frame, names))
    if not nodes:
        return None
    texts = [_arguments(node, scope, is_frame) for node in nodes]
    args = tuple(arg for positional, _ in texts for arg in positional)
    kwargs = {name: text for _, keywords in texts for name, text in sorted(keywords.items())}
    if len(nodes) > 1:
        return Authored(args, kwargs)
    return Authored(args, kwargs, source.targets.get(nodes[0]), _receiver(nodes[0]))


@lru_cache(maxsize=_MOST_FILES)
def _parsed(text: str) -> _Source | None:
    if not text:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # a notebook cell with magics, or a file that has changed
        return None
    source = _Source()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Call, ast.Subscript)):
            end = (node.end_lineno or 0, node.end_col_offset or 0)
            source.by_end[end] = node
            if isinstance(node, ast.Call):
                source.calls.append(node)
        target = _single_target(node)
        if target is not None:
            source.targets[target[1]] = target[0]
    return source


def _single_target(node: ast.AST) -> tuple[str, ast.expr] | None:
    """Return the variable and the value of an assignment to one variable."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        target, value = node.target, node.value
    else:
        return None
    if isinstance(target, ast.Name):
        return target.id, value
    if isinstance(target, ast.Attribute):
        return target.attr, value
    return None


def _nodes_at(
    source: _Source, frame: FrameType, names: tuple[str, ...]
) -> Iterator[ast.Call | ast.Subscript]:
    """Find the call by its place in the bytecode, or else by its name and line."""
    end = _end_of_instruction(frame)
    if end is not None:
        node = source.by_end.get(end)
        if isinstance(node, ast.Subscript) or (node is not None and _method(node) in names):
            yield node
        return
    # Python 3.10 knows the line only, which is that of the method's name. Several calls of one
    # name on one line cannot be told apart there: each stands for all of them.
    for call in source.calls:
        if _method(call) in names and (call.func.end_lineno or 0) == frame.f_lineno:
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
    node: ast.Call | ast.Subscript, scope: _Names, is_frame: IsFrame
) -> tuple[list[str], dict[str, str]]:
    if isinstance(node, ast.Subscript):
        return [normalised(node.slice, scope, is_frame)], {}
    args = [normalised(arg, scope, is_frame) for arg in node.args]
    kwargs: dict[str, str] = {}
    for keyword in node.keywords:
        text = normalised(keyword.value, scope, is_frame)
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
            self._locals = self._frame.f_locals
        if name in self._locals:
            return self._locals[name]
        return self._frame.f_globals.get(name)
