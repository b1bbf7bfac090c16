"""Text of an expression that only its meaning changes.

No layout, no quotes, no names of frames, of constants or of the user's functions; and the same
text on every version of Python.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from conformare.capture.source._constants import attributes_of, constant
from conformare.capture.source._scopes import COMPREHENSIONS, Bound, Imported, Scope, Source
from conformare.capture.source._step_names import STEPS

IsFrame = Callable[[Any], bool]
Lookup = Callable[[str], Any]
FunctionText = Callable[[Any, dict[str, Any]], str | None]
"""Text of a function of the user's, given the globals of who names it; None for another value."""

FRAME_TOKEN = "_frame_"  # noqa: S105 - stands for every data frame, whatever its name

# A call of one of these on a frame is a step of its own: where its result is an argument of
# another call, it counts as a frame without a name.
STEPS_WITHIN = frozenset((*STEPS.split(), "transform", "agg", "cache", "persist"))
# A longer constant is known by a digest: its text is kept with every step that names it.
_MOST_LITERAL = 1_000
_MOST_LITERALS = 256
_DIGITS = 16


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


class Rewriting:
    """Makes a copy of parsed code with every constant in place of its name.

    Args:
        source: The file that the code is from.
        scope: Where the code stands in it.
        namespace: Globals of the code.
    """

    def __init__(self, source: Source, scope: Scope, namespace: dict[str, Any]) -> None:
        self._source = source
        self._scope = scope
        self._namespace = namespace
        self._opened: list[Scope] = []

    def visit(self, node: ast.AST) -> Any:
        """Copy a node in the way that its type asks for; what cannot hold others stays itself."""
        if isinstance(node, ast.Constant) or not node._fields:
            return node
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(node)
        visit = getattr(self, f"visit_{type(node).__name__}", None)
        return self.copied(node) if visit is None else visit(node)

    def copied(self, node: ast.AST, inside: tuple[str, ...] = ()) -> Any:
        """Copy a node; the fields named `inside` belong to the scope that it opens."""
        # With few calls in between, as the depth of the code is limited by that of the stack.
        fields: dict[str, Any] = {}
        for name in node._fields:
            if name in inside:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                value = self.listed(value)
            elif isinstance(value, ast.AST):
                value = self.visit(value)
            fields[name] = value
        for name in inside:
            with self._within(node):
                value = getattr(node, name)
                fields[name] = self.listed(value) if isinstance(value, list) else self.visit(value)
        return type(node)(**fields)

    def listed(self, values: list[Any]) -> list[Any]:
        """Copy the parts of a node that are in a list."""
        return [self.visit(part) if isinstance(part, ast.AST) else part for part in values]

    @contextmanager
    def _within(self, node: ast.AST) -> Iterator[None]:
        outer = self._scope
        self._scope = self._source.scopes[node]
        self._opened.append(self._scope)
        yield
        self._scope = outer

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._literal(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._literal(node) or self.copied(node)

    def _literal(self, node: ast.Name | ast.Attribute) -> ast.expr | None:
        literal = constant(node, self._scope, self._namespace)
        return None if literal is None else _shown(literal)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Show an f-string as a call: its own syntax differs between versions of Python."""
        # Python 3.12 has empty parts that no other version has.
        parts = [part for part in self.listed(node.values) if getattr(part, "value", None) != ""]
        if all(isinstance(part, ast.Constant) for part in parts):
            return ast.Constant("".join(part.value for part in parts))
        return ast.Call(ast.Name("_format_"), parts, [])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        value = ast.Call(ast.Name("_value_"), [self.visit(node.value)], [])
        if node.conversion != -1:
            value.args.append(ast.Constant(chr(node.conversion)))
        if node.format_spec is not None:
            value.keywords.append(ast.keyword("format", self.visit(node.format_spec)))
        return value

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        copy: ast.Lambda = self.copied(node, inside=("body",))
        if next(ast.iter_child_nodes(copy.args), None) is None:
            # Python 3.10 writes `lambda : 0`, as if there were a parameter without a name.
            copy.args.args.append(ast.arg(""))
        return copy

    def _comprehension(self, node: Any) -> ast.AST:
        first = node.generators[0]
        iterable = self.visit(first.iter)
        with self._within(node):
            generators = [
                ast.comprehension(
                    target=self._target(part.target),
                    iter=iterable if part is first else self.visit(part.iter),
                    ifs=self.listed(part.ifs),
                    is_async=part.is_async,
                )
                for part in node.generators
            ]
            others = [name for name in node._fields if name != "generators"]
            fields = {name: self.visit(getattr(node, name)) for name in others}
        return cast("ast.AST", type(node)(generators=generators, **fields))

    def _target(self, node: ast.expr) -> ast.expr:
        # Versions of Python differ in whether they put such a tuple in parentheses.
        target: ast.expr = self.visit(node)
        return ast.List(target.elts) if isinstance(target, ast.Tuple) else target


@lru_cache(maxsize=_MOST_LITERALS)
def _shown(literal: ast.expr) -> ast.expr:
    text = ast.unparse(literal)
    return literal if len(text) <= _MOST_LITERAL else ast.Name(f"literal:{digest(text)}")


class Normaliser(Rewriting):
    """Text of the expressions at one place of the user's code.

    Args:
        source: The file that the expressions are from.
        scope: Where they stand in it.
        namespace: Globals of the code.
        lookup: Name → value there, None for an unknown name.
        is_frame: Tells data frames from other values.
        function_text: Tells the user's functions from other values.

    Attributes:
        varies: Whether a text names a function that a variable holds: next time it may be another.
    """

    def __init__(
        self,
        source: Source,
        scope: Scope,
        namespace: dict[str, Any],
        lookup: Lookup,
        is_frame: IsFrame,
        function_text: FunctionText,
    ) -> None:
        super().__init__(source, scope, namespace)
        self._lookup = lookup
        self._is_frame = is_frame
        self._function_text = function_text
        self.varies = False

    def text(self, expression: ast.expr) -> str:
        """Return the text of an expression, which is left as it is."""
        return ast.unparse(self.visit(expression))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._replaced(node) or super().visit_Name(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._replaced(node) or super().visit_Attribute(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if self._is_frame(self._value(node)):
            return ast.Name(FRAME_TOKEN)
        return cast("ast.AST", self.copied(node))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        call = self.copied(node)
        function = call.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == FRAME_TOKEN
            and function.attr in STEPS_WITHIN
        ):
            return ast.Name(FRAME_TOKEN)
        return cast("ast.AST", call)

    def _replaced(self, node: ast.Name | ast.Attribute) -> ast.Name | None:
        value = self._value(node)
        if self._is_frame(value):
            return ast.Name(FRAME_TOKEN)
        text = self._function_text(value, self._namespace)
        if text is None or self._is_method_of_frame(node):
            return None
        self.varies = self.varies or not self._is_fixed(node)
        return ast.Name(text)

    def _is_method_of_frame(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Attribute) and self._is_frame(self._value(node.value))

    def _is_fixed(self, node: ast.expr) -> bool:
        """Whether a name stands for the same function each time."""
        while isinstance(node, ast.Attribute):
            node = node.value
        found = self._scope.find(node.id) if isinstance(node, ast.Name) else None
        return found is not None and (found[1] is Bound.DEFINED or isinstance(found[1], Imported))

    def _value(self, node: ast.expr) -> Any:
        """Look an expression up without running any code of the user's."""
        if isinstance(node, ast.Name):
            found = self._scope.find(node.id)
            # Variables of a lambda or a comprehension have no value yet.
            bound_here = found is not None and found[0] in self._opened
            return None if bound_here else self._lookup(node.id)
        if isinstance(node, ast.Attribute):
            return _attribute(self._value(node.value), node.attr)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return _item(self._value(node.value), node.slice.value)
        return None


def _attribute(value: Any, name: str) -> Any:
    attributes = attributes_of(value)
    if name in attributes:
        return attributes[name]
    owner = value if issubclass(type(value), type) else type(value)
    return next((part.__dict__[name] for part in owner.__mro__ if name in part.__dict__), None)


def _item(container: Any, key: Any) -> Any:
    if type(container) is dict:
        return container.get(key)
    if (
        (type(container) is list or type(container) is tuple)
        and type(key) is int
        and -len(container) <= key < len(container)
    ):
        return container[key]
    return None
