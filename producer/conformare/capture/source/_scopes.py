"""What the scopes of a source bind: each name to a literal, to what is imported, or to neither.

Scopes are lexical, as in Python. Nothing is imported and no code of the user's runs.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

MOST_FILES = 256
"""Of so many files the answers are remembered."""

# Code of any origin has these names, so the text behind them may be that of other code.
_SHARED_FILENAMES = ("<string>", "<stdin>")

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Bound(Enum):
    """How a name is bound that is neither a constant nor imported."""

    DEFINED = "once, by def, class or lambda"
    DECLARED = "by an annotation alone"
    VARYING = "in any other way"


@dataclass(frozen=True)
class Imported:
    """What an import binds a name to.

    Attributes:
        module: As written, with the leading dots of a relative import.
        name: What is taken from the module, None for the module itself.
    """

    module: str
    name: str | None = None


Binding: TypeAlias = ast.expr | Imported | Bound
"""What a name stands for; an expression is always a literal."""


@dataclass(eq=False)
class Scope:
    """The names that one module, class, function or comprehension binds."""

    node: ast.AST
    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    def bind(self, name: str, binding: Binding) -> None:
        """Take note of a binding; a second one makes the name a variable."""
        known = self.names.get(name, Bound.DECLARED)
        # `import a.b` and `import a.c` bind `a` twice, to the same module.
        same = isinstance(known, Imported) and known == binding
        self.names[name] = binding if known is Bound.DECLARED or same else Bound.VARYING

    def find(self, name: str) -> tuple[Scope, Binding] | None:
        """Return the scope in which Python resolves a name, and what it stands for there."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.globals:
                scope = scope.module
            # What is bound in the body of a class is not seen from functions inside it.
            seen = scope is self or not isinstance(scope.node, ast.ClassDef)
            if seen and name in scope.names:
                return scope, scope.names[name]
            scope = scope.parent
        return None

    @property
    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


@dataclass(eq=False)
class Source:
    """A parsed file.

    Attributes:
        module: The outermost scope.
        scopes: The others, by the node that opens them.
        places: Every call and subscript, with the scope that it stands in.
        targets: Names of the variables that expressions are assigned to.
    """

    module: Scope
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    places: dict[ast.Call | ast.Subscript, Scope] = field(default_factory=dict)
    targets: dict[ast.expr, str] = field(default_factory=dict)


Visits: TypeAlias = Iterable[tuple[ast.AST, Scope]]


class _Binder:
    """Finds what every scope of a file binds; without recursion, however deep the code is."""

    def __init__(self, tree: ast.Module) -> None:
        module = Scope(tree)
        self.source = Source(module)
        open_: list[tuple[ast.AST, Scope]] = [(child, module) for child in tree.body]
        while open_:
            node, scope = open_.pop()
            visit = _VISITS.get(type(node).__name__)
            if visit is not None:
                open_.extend(visit(self, node, scope))
            else:
                open_.extend((child, scope) for child in ast.iter_child_nodes(node))
        self._settle_declarations()

    def _settle_declarations(self) -> None:
        """Move what `global` and `nonlocal` bind elsewhere; there it is no constant."""
        for scope in self.source.scopes.values():
            for name in scope.globals:
                if scope.names.pop(name, None) is not None:
                    self.source.module.names[name] = Bound.VARYING
            for name in scope.nonlocals:
                bound = scope.names.pop(name, None) is not None
                found = scope.find(name)
                if bound and found is not None:
                    found[0].names[name] = Bound.VARYING

    def name(self, node: ast.Name, scope: Scope) -> Visits:
        if not isinstance(node.ctx, ast.Load):
            scope.bind(node.id, Bound.VARYING)
        return ()

    def call(self, node: ast.Call | ast.Subscript, scope: Scope) -> Visits:
        self.source.places[node] = scope
        return [(child, scope) for child in ast.iter_child_nodes(node)]

    def assign(self, node: ast.Assign, scope: Scope) -> Visits:
        if len(node.targets) == 1:
            self._label(node.targets[0], node.value)
        for target in node.targets:
            yield from self._assigned(target, node.value, scope)
        yield node.value, scope

    def annotated(self, node: ast.AnnAssign, scope: Scope) -> Visits:
        yield node.annotation, scope
        if node.value is not None:
            self._label(node.target, node.value)
            yield from self._assigned(node.target, node.value, scope)
            yield node.value, scope
        elif isinstance(node.target, ast.Name):
            scope.names.setdefault(node.target.id, Bound.DECLARED)

    def walrus(self, node: ast.NamedExpr, scope: Scope) -> Visits:
        self._label(node.target, node.value)
        outer = scope
        while isinstance(outer.node, COMPREHENSIONS) and outer.parent is not None:
            outer = outer.parent
        outer.bind(node.target.id, Bound.VARYING)
        return [(node.value, scope)]

    def _label(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.source.targets[value] = target.id
        elif isinstance(target, ast.Attribute):
            self.source.targets[value] = target.attr

    def _assigned(self, target: ast.expr, value: ast.expr, scope: Scope) -> Visits:
        if not isinstance(target, ast.Name):
            yield target, scope
        elif isinstance(value, ast.Lambda):
            scope.bind(target.id, Bound.DEFINED)
        else:
            scope.bind(target.id, value if _is_literal(value) else Bound.VARYING)

    def import_(self, node: ast.Import, scope: Scope) -> Visits:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            scope.bind(alias.asname or top, Imported(alias.name if alias.asname else top))
        return ()

    def import_from(self, node: ast.ImportFrom, scope: Scope) -> Visits:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                scope.stars.append(module)
            else:
                scope.bind(alias.asname or alias.name, Imported(module, alias.name))
        return ()

    def global_(self, node: ast.Global, scope: Scope) -> Visits:
        scope.globals.update(node.names)
        return ()

    def nonlocal_(self, node: ast.Nonlocal, scope: Scope) -> Visits:
        scope.nonlocals.update(node.names)
        return ()

    def named(self, node: Any, scope: Scope) -> Visits:
        """Bind the name that a clause, a pattern or a type parameter keeps as a plain string."""
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            scope.bind(name, Bound.VARYING)
        return [(child, scope) for child in ast.iter_child_nodes(node)]

    def comprehension(self, node: Any, scope: Scope) -> Visits:
        inner = self._opened(node, scope)
        first = node.generators[0]
        for child in ast.iter_child_nodes(node):
            if child is not first:
                yield child, inner
        for part in ast.iter_child_nodes(first):
            # The first iterable is evaluated outside.
            yield part, scope if part is first.iter else inner

    def opening(self, node: Any, scope: Scope) -> Visits:
        """Open the scope of a function or a class; all but its body is evaluated outside."""
        inner = self._opened(node, scope)
        if not isinstance(node, ast.Lambda):
            scope.bind(node.name, Bound.DEFINED)
        if not isinstance(node, ast.ClassDef):
            for child in ast.iter_child_nodes(node.args):
                if isinstance(child, ast.arg):
                    inner.bind(child.arg, Bound.VARYING)
        for name, value in ast.iter_fields(node):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    yield part, inner if name in {"body", "type_params"} else scope

    def _opened(self, node: ast.AST, parent: Scope) -> Scope:
        scope = self.source.scopes[node] = Scope(node, parent)
        return scope


_VISITS: dict[str, Callable[[_Binder, Any, Scope], Visits]] = {
    "Name": _Binder.name,
    "Assign": _Binder.assign,
    "AnnAssign": _Binder.annotated,
    "NamedExpr": _Binder.walrus,
    "Import": _Binder.import_,
    "ImportFrom": _Binder.import_from,
    "Global": _Binder.global_,
    "Nonlocal": _Binder.nonlocal_,
    **dict.fromkeys(("Call", "Subscript"), _Binder.call),
    **dict.fromkeys(("Lambda", "FunctionDef", "AsyncFunctionDef", "ClassDef"), _Binder.opening),
    **{kind.__name__: _Binder.comprehension for kind in COMPREHENSIONS},
    **dict.fromkeys(("ExceptHandler", "MatchAs", "MatchStar", "MatchMapping"), _Binder.named),
    # By name, as Python has them since 3.12.
    **dict.fromkeys(("TypeVar", "TypeVarTuple", "ParamSpec"), _Binder.named),
}


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


@lru_cache(maxsize=MOST_FILES)
def _parsed(text: str) -> Source | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):  # a file that has changed, or is not Python
        return None
    return _Binder(tree).source


def source_of(filename: str, namespace: dict[str, Any]) -> Source | None:
    """Return the parsed text of a file or of a notebook's cell.

    Args:
        filename: As code objects name it.
        namespace: Globals of the code; its loader may know the text of a file in an archive.

    Returns:
        None when there is no text, or not one of Python.
    """
    if filename in _SHARED_FILENAMES:
        return None
    text = "".join(linecache.getlines(filename, namespace))
    return _parsed(text) if text else None
