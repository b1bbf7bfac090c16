"""What a step was asked to do, as text: from the source, or else from the arguments themselves.

No text holds an address or depends on the order of a set, and none is made by code of the user's.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType
from typing import Any, cast

from conformare.capture.source._callsite import (
    Authored,
    PerCode,
    authored_call,
    site_of,
    users_frame,
)
from conformare.capture.source._constants import Scope, Source, is_users, source_of
from conformare.capture.source._normalise import FRAME_TOKEN, Rewriting, digest

_MOST_WRAPPERS = 20
# As much of an argument is looked at where there is no source text.
_MOST_ITEMS = 100
_MOST_PARTS = 1_000
_MOST_DEPTH = 10
_MOST_CHARACTERS = 100_000
_MOST_BITS = 10_000
# A longer text is known by a digest: it is kept with the step.
_LONG = 1_000


def is_data_frame(value: Any) -> bool:
    """Whether a value is a data frame of Spark, without importing Spark."""
    return _is_spark("DataFrame", value, "pyspark.sql.connect.dataframe")


def is_column(value: Any) -> bool:
    """Whether a value is a column of Spark, without importing Spark."""
    return _is_spark("Column", value, "pyspark.sql.connect.column")


def _is_spark(name: str, value: Any, elsewhere: str) -> bool:
    # Before Spark 4 the classes of Connect are no subclasses of those of `pyspark.sql`.
    for module in ("pyspark.sql", elsewhere):
        known = getattr(sys.modules.get(module), name, None)
        # isinstance() would ask a proxy for its class, and so run the proxy's code.
        if known is not None and issubclass(type(value), known):
            return True
    return False


def authored(
    frame: FrameType | None, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Authored:
    """Return what was written at a call.

    Args:
        frame: Where to start looking for the user's code.
        names: Names that the method may have in the source.
        args: The positional arguments, for want of source text.
        kwargs: The keyword arguments, for want of source text.
    """
    frame = users_frame(frame)
    found = authored_call(frame, names, is_data_frame, function_text)
    if found is not None:
        return found
    return Authored(
        tuple(text_of(arg) for arg in args),
        {name: text_of(value) for name, value in sorted(kwargs.items())},
        site=None if frame is None else site_of(frame),
    )


# --- arguments ----------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """Return an argument as text that does not change from run to run.

    Only so much of it is looked at as costs nothing; of an object that is neither Spark's nor
    built in, no more than its class.

    Args:
        value: Any argument of a call; a Column shows its expression.
    """
    return _text_of(value, iter(range(_MOST_PARTS)), _MOST_DEPTH)


def _text_of(value: Any, room: Iterator[int], depth: int) -> str:
    if is_data_frame(value):
        return FRAME_TOKEN
    if is_column(value):
        return _column_text(value)
    if _is_spark("DataType", value, "pyspark.sql.types"):
        spark_own = type(value).__module__ == "pyspark.sql.types"
        return _shortened(value.simpleString()) if spark_own else _name_of(value)
    for kind, show in _SCALARS:
        if issubclass(type(value), kind):
            return str(show(value))
    function = function_text(value, {})
    return function or _container_text(value, room, depth) or _name_of(value)


def _column_text(column: Any) -> str:
    try:
        text = str(column)
    except RecursionError:
        return "Column"
    # Spark numbers the variables of lambda functions for as long as the process lives.
    if "lambda" in text.lower():
        variables: dict[str, str] = {}
        text = re.sub(
            r"\b([xyz])_\d+\b",
            lambda found: variables.setdefault(found[0], f"{found[1]}_{len(variables)}"),
            text,
        )
    return _shortened(text)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"text:{digest(text)}"


def _integer_text(value: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _MOST_BITS else f"integer of {bits} bits"


def _string_text(value: str | bytes) -> str:
    kind: Any = str if issubclass(type(value), str) else bytes
    start, size = kind.__getitem__(value, slice(_MOST_CHARACTERS)), kind.__len__(value)
    text = _shortened(kind.__repr__(start))
    return text if size <= _MOST_CHARACTERS else f"{text} of {size}"


# The base class's own ways, as a subclass may have others.
_SCALARS: tuple[tuple[type, Any], ...] = (
    (type(None), repr),
    (bool, repr),
    (int, _integer_text),
    (float, float.__repr__),
    (complex, complex.__repr__),
    (str, _string_text),
    (bytes, _string_text),
)


def _container_text(value: Any, room: Iterator[int], depth: int) -> str | None:
    kind = type(value)
    if issubclass(kind, (set, frozenset)):
        return _set_text(value)
    if depth == 0:
        return None
    if kind is functools.partial:
        return f"partial{_text_of([value.func, value.args, value.keywords], room, depth - 1)}"
    if issubclass(kind, dict):
        pairs = (
            f"{_text_of(key, room, depth - 1)}: {_text_of(item, room, depth - 1)}"
            for key, item in _first(dict.items(value), room)
        )
        return f"{{{_joined(pairs, dict.__len__(value))}}}"
    for base in (list, tuple):
        if issubclass(kind, base):
            parts = _first(base.__iter__(value), room)
            items = (_text_of(part, room, depth - 1) for part in parts)
            return f"[{_joined(items, base.__len__(value))}]"
    return None


def _set_text(value: set[Any] | frozenset[Any]) -> str:
    # No two processes have the strings of a set in the same order.
    base: Any = set if issubclass(type(value), set) else frozenset
    size = base.__len__(value)
    if size > _MOST_ITEMS:
        return f"set[... of {size}]"
    return f"set[{', '.join(sorted(_text_of(part, iter(()), 0) for part in base.__iter__(value)))}]"


def _first(parts: Iterable[Any], room: Iterator[int]) -> Iterator[Any]:
    return (part for part, _ in zip(islice(parts, _MOST_ITEMS), room, strict=False))


def _joined(texts: Iterator[str], size: int) -> str:
    shown = list(texts)
    return ", ".join([*shown, *([f"... of {size}"] if len(shown) < size else [])])


def _name_of(value: Any) -> str:
    """Return the name of a function or a class, or else of the class of a value."""
    if type(value) is MethodType:
        value = value.__func__
    if issubclass(type(value), (FunctionType, BuiltinFunctionType)):
        return str(value.__qualname__)
    owner: type = value if issubclass(type(value), type) else type(value)
    return owner.__qualname__


# --- functions of the user's --------------------------------------------------------------------

_functions: PerCode[str] = PerCode()


def function_text(value: Any, namespace: dict[str, Any]) -> str | None:
    """Return what a function of the user's does as a short text, blind to its name and layout.

    Constants in its body count by their values; functions that it calls, by their names alone.

    Args:
        value: A function or a method, also inside wrappers that say what they wrap.
        namespace: Globals of the code that names it.

    Returns:
        None for anything else, and for functions of libraries.
    """
    function = _users_function(value, namespace)
    if function is None:
        return None
    text = _functions.get(function.__code__)
    if text is None:
        text = _content_text(function) or f"code:{digest(_code_text(function.__code__))}"
        _functions.put(function.__code__, text)
    return text


def _users_function(value: Any, namespace: dict[str, Any]) -> FunctionType | None:
    """Return the innermost function of the user's among those that wrap one another."""
    found = None
    # Not `in`: it compares, which a class of the user's may have its own way to do.
    if issubclass(type(value), (MethodType, staticmethod, classmethod)):
        value = value.__func__
    for _ in range(_MOST_WRAPPERS):
        if type(value) is not FunctionType:
            break
        module = value.__globals__.get("__name__")
        if is_users(value.__code__.co_filename, module, namespace):
            found = value
        value = value.__dict__.get("__wrapped__")
    return found


def _content_text(function: FunctionType) -> str | None:
    code, namespace = function.__code__, function.__globals__
    source = source_of(code.co_filename, namespace)
    node = None if source is None else _definition(source, code)
    if source is None or node is None:
        return None
    try:
        content = _Content(source, source.scopes[node].parent, namespace, code.co_name).visit(node)
        return f"function:{digest(_canonical(content))}"
    except (RecursionError, ValueError):  # nested too deeply, or an integer too long to print
        return None


def _definition(source: Source, code: CodeType) -> ast.AST | None:
    """Return what a code object was compiled from, None where that is not clear."""
    heading = (code.co_name, code.co_firstlineno)
    found = [node for node in source.scopes if _heading(node) == heading]
    if len(found) == 1:
        return found[0]
    # Of lambdas inside one another, only the body of an outer one holds all of its code.
    holding = [node for node in found if isinstance(node, ast.Lambda) and _holds(node.body, code)]
    return max(holding, key=lambda node: (node.lineno, node.col_offset), default=None)


def _heading(node: ast.AST) -> tuple[str, int] | None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node.name, min(part.lineno for part in (node, *node.decorator_list))
    return ("<lambda>", node.lineno) if isinstance(node, ast.Lambda) else None


def _holds(body: ast.expr, code: CodeType) -> bool:
    """Whether a code object lies within an expression; Python 3.10 cannot tell."""
    start = (body.lineno, body.col_offset)
    end = (body.end_lineno or 0, body.end_col_offset or 0)
    positions: Callable[[], Any] | None = getattr(code, "co_positions", None)
    spans = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in (positions() if positions else ())
        # Instructions without a place in the text have no width.
        if None not in (line, end_line, column, end_column)
        and (line, column) != (end_line, end_column)
    ]
    return bool(spans) and all(start <= first and last <= end for first, last in spans)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class _Content(Rewriting):
    """Copies a function without its name, its docstrings and its annotations."""

    def __init__(
        self, source: Source, scope: Scope | None, namespace: dict[str, Any], name: str
    ) -> None:
        super().__init__(source, scope or source.module, namespace)
        self._name = name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("_self_") if node.id == self._name else super().visit_Name(node)

    def visit(self, node: ast.AST) -> Any:
        return self._definition(node) if isinstance(node, _DEFINITIONS) else super().visit(node)

    def _definition(self, node: Any) -> ast.AST:
        copy = self.copied(node, inside=("body",))
        if ast.get_docstring(node, clean=False) is not None:
            del copy.body[0]
        if node.name == self._name:
            copy.name = "_self_"
        return cast("ast.AST", copy)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return node
        return ast.Assign([self.visit(node.target)], self.visit(node.value))

    def listed(self, values: list[Any]) -> list[Any]:
        return [part for part in super().listed(values) if not isinstance(part, ast.AnnAssign)]


# What has no effect, and fields that not all versions of Python have.
_NOT_SHOWN = frozenset({"annotation", "returns", "type_params", "type_comment", "ctx", "kind"})


def _canonical(value: Any) -> str:
    """Return parsed code as text, without the empty fields: they differ between versions."""
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    if not isinstance(value, ast.AST):
        return ascii(value)
    fields = [
        f"{name}={_canonical(part)}"
        for name, part in ast.iter_fields(value)
        if name not in _NOT_SHOWN and part is not None and part != []
    ]
    return f"{type(value).__name__}({','.join(fields)})"


def _code_text(code: CodeType) -> str:
    constants = ",".join(map(_constant_text, code.co_consts))
    return f"{code.co_argcount} {code.co_code.hex()} {code.co_names!a} [{constants}]"


def _constant_text(value: Any) -> str:
    if type(value) is CodeType:
        return _code_text(value)
    if type(value) is tuple:
        return f"[{','.join(map(_constant_text, value))}]"
    return text_of(value)
