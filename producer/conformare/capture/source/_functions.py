"""What a function of the user's does, as a short text that is blind to its name and layout."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import Any, cast

from conformare.capture.source._callsite import PerCode
from conformare.capture.source._constants import is_users
from conformare.capture.source._normalise import Rewriting, digest
from conformare.capture.source._scalars import scalar_text, set_text
from conformare.capture.source._scopes import Scope, Source, source_of

_MOST_WRAPPERS = 20


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
    if type(value) is frozenset:
        return set_text(value, _plain_text)
    return _plain_text(value)


def _plain_text(value: Any) -> str:
    return scalar_text(value) or type(value).__qualname__
