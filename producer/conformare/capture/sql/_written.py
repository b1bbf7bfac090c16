"""What a statement of SQL names, from its text.

For sessions of Connect, where Spark hands out no plan. Only names are taken from the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformare.capture.sql._dialect import DIALECT, parsed
from conformare.capture.sql._names import GLOBAL_VIEWS, parts_of

Parts = tuple[str, ...]
Args = Mapping[str, Any] | Sequence[Any] | None
"""What a statement's parameters stand for."""


@dataclass(frozen=True)
class WrittenTarget:
    """A place that a statement writes to.

    Attributes:
        parts: Name of a table as it is written; of files, their path alone.
        operation: What is done to it.
        format: Format of the data, where the statement says it.
        is_folder: Whether it is a path.
        query: What is written to a folder, which may not say its columns itself.
    """

    parts: Parts
    operation: str
    format: str | None = None
    is_folder: bool = False
    query: str | None = None


@dataclass
class Written:
    """What a statement names.

    Attributes:
        reads: Tables and views that it reads, as they are written.
        targets: What it writes to.
        made: The view that it makes.
        dropped: The view that it drops, or gives a content that is no frame's.
        is_temporary: Whether that view belongs to the session.
        is_query: Whether it returns rows that it has made of others.
    """

    reads: dict[Parts, None] = field(default_factory=dict)
    targets: list[WrittenTarget] = field(default_factory=list)
    made: Parts | None = None
    dropped: Parts | None = None
    is_temporary: bool = False
    is_query: bool = False


def written(text: str, args: Args = None) -> Written | None:
    """Return what a statement names, None where the parser does not understand it.

    Args:
        text: The statement.
        args: What its parameters stand for.
    """
    tree, said = parsed(text)
    found = Written()
    try:
        _Reader(found, args, said).statement(tree)
    except Exception:  # noqa: BLE001 - of another's tree anything may come, with the text in it
        return None
    return found


@dataclass(frozen=True)
class _Scope:
    """Names that a WITH has given, each with its query and the names that this may use."""

    names: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


_ORIGINS = ("from_", "joins", "laterals")


class _Reader:
    """Takes the names from one statement."""

    def __init__(self, found: Written, args: Args, said: Mapping[str, str]) -> None:
        from sqlglot import exp

        self._exp = exp
        self._found = found
        self._args = args
        self._said = said
        self._position: dict[int, int] = {}
        self._seen: set[int] = set()

    def statement(self, tree: Any) -> None:
        """Take what a statement names."""
        exp = self._exp
        holders = (node for node in tree.walk(bfs=False) if isinstance(node, exp.Placeholder))
        unnamed = (node for node in holders if node.this is None)
        self._position = {id(node): position for position, node in enumerate(unnamed)}
        scope = self._scope(tree, _Scope())
        handlers = (
            (exp.Insert, self._insert),
            (exp.MultitableInserts, self._several_inserts),
            ((exp.Update, exp.Delete, exp.Merge), self._change),
            (exp.Create, self._create),
            (exp.Cache, self._cache),
            (exp.TruncateTable, self._truncate),
            (exp.LoadData, self._load),
            (exp.Drop, self._drop),
            (exp.Alter, self._alter),
            (exp.Set, self._set),
            (exp.Command, self._immediate),
            ((exp.Query, exp.Values), self._query),
        )
        for kind, handle in handlers:
            if isinstance(tree, kind):
                handle(tree, scope)
                return

    def _query(self, tree: Any, _scope: _Scope) -> None:
        self._found.is_query = True
        self._visit(tree, _Scope())

    def _several_inserts(self, tree: Any, scope: _Scope) -> None:
        self._visit(tree.args.get("source"), scope)
        for insert in tree.expressions:
            self._insert(insert, scope)

    def _change(self, tree: Any, scope: _Scope) -> None:
        self._target(tree.this, type(tree).__name__.lower())
        self._visit_all(tree, scope, without=("this", "with_"))

    def _cache(self, tree: Any, scope: _Scope) -> None:
        if tree.expression:
            self._found.made, self._found.is_temporary = self._parts(tree.this), True
            self._visit(tree.expression, scope)

    def _truncate(self, tree: Any, _scope: _Scope) -> None:
        for table in tree.expressions:
            self._target(table, self._said.get("operation", "truncate"))

    def _load(self, tree: Any, _scope: _Scope) -> None:
        self._target(tree.this, "load")

    def _drop(self, tree: Any, _scope: _Scope) -> None:
        if tree.args.get("kind") == "VIEW":
            tables = tree.args.get("tables") or [tree.this]
            self._found.dropped = self._parts(tables[0])

    def _set(self, tree: Any, scope: _Scope) -> None:
        self._visit_all(tree, scope)
        self._found.is_query = bool(self._found.reads)

    def _insert(self, insert: Any, scope: _Scope) -> None:
        exp = self._exp
        scope = self._scope(insert, scope)
        if isinstance(insert.this, exp.Directory):
            self._found.targets.append(
                WrittenTarget(
                    (insert.this.this.name,),
                    "insert",
                    self._said.get("format"),
                    is_folder=True,
                    query=insert.expression.sql(DIALECT),
                )
            )
        else:
            self._target(insert.this, "insert")
        self._visit_all(insert, scope, without=("this", "with_"))

    def _create(self, tree: Any, scope: _Scope) -> None:
        exp, found = self._exp, self._found
        properties = tree.args.get("properties")
        said = properties.expressions if properties else []
        clone = tree.args.get("clone")
        if tree.args.get("kind") == "VIEW":
            name = self._parts(tree.this)
            found.is_temporary = any(isinstance(one, exp.TemporaryProperty) for one in said)
            if found.is_temporary and any(isinstance(one, exp.GlobalProperty) for one in said):
                name = (GLOBAL_VIEWS, *name)
            if tree.expression:
                found.made = name
            else:
                found.dropped = name
        elif tree.args.get("kind") == "TABLE" and (tree.expression or clone):
            formats = [one.this.name for one in said if isinstance(one, exp.FileFormatProperty)]
            operation = "replace" if tree.args.get("replace") else "create"
            self._target(tree.this, operation, formats[0].lower() if formats else None)
        self._visit(tree.expression, scope)
        self._visit(clone, scope)

    def _alter(self, tree: Any, scope: _Scope) -> None:
        queries = [action for action in tree.args.get("actions") or () if self._is_query(action)]
        if tree.args.get("kind") == "VIEW" and queries:
            self._found.made = self._parts(tree.this)
            self._visit(queries[0], scope)

    def _is_query(self, node: Any) -> bool:
        return isinstance(node, self._exp.Query)

    def _immediate(self, tree: Any, _scope: _Scope) -> None:
        """Take what the statement in EXECUTE IMMEDIATE names, where it is a literal."""
        from sqlglot import TokenType, tokenize

        if str(tree.this).upper() != "EXECUTE":
            return
        tokens = tokenize(tree.expression.name, read=DIALECT)
        if len(tokens) > 1 and tokens[1].token_type == TokenType.STRING:
            inner = written(tokens[1].text)
            if inner is not None:
                self._found.__dict__.update(inner.__dict__)

    # --- queries ---

    def _scope(self, node: Any, scope: _Scope) -> _Scope:
        """Return the scope below a node, with the names that its WITH gives."""
        given = node.args.get("with_")
        if given is None:
            return scope
        names = dict(scope.names)
        for definition in given.expressions:
            name = definition.alias.lower()
            # A query does not know its own name unless it is recursive, nor those that follow.
            inner = _Scope(dict(names))
            if given.args.get("recursive"):
                names[name] = (None, inner)
                inner = _Scope(dict(names))
            names[name] = (definition.this, inner)
        return _Scope(names)

    def _visit_all(self, node: Any, scope: _Scope, without: Iterable[str] = ()) -> None:
        # Where the rows come from is first, as in a plan.
        for name, value in sorted(node.args.items(), key=lambda arg: arg[0] not in _ORIGINS):
            if name not in without:
                for part in value if isinstance(value, list) else [value]:
                    self._visit(part, scope)

    def _visit(self, node: Any, scope: _Scope) -> None:
        exp = self._exp
        if not isinstance(node, exp.Expression):
            return
        if isinstance(node, exp.Table):
            self._table(node, scope)
        elif isinstance(node, exp.Anonymous) and node.name.upper() == "TABLE":
            for argument in node.expressions:
                if isinstance(argument, exp.Column):
                    self._read(tuple(part.name for part in argument.parts), scope)
                else:
                    self._visit(argument, scope)
        else:
            self._visit_all(node, self._scope(node, scope), without=("with_",))

    def _table(self, node: Any, scope: _Scope) -> None:
        parts = self._parts(node)
        if parts:
            self._read(parts, scope)
        self._visit_all(node, scope, without=("db", "catalog", "alias"))

    def _read(self, parts: Parts, scope: _Scope) -> None:
        known = scope.names.get(parts[0].lower()) if len(parts) == 1 else None
        if known is None:
            self._found.reads.setdefault(parts)
            return
        query, inner = known
        if query is not None and id(query) not in self._seen:
            self._seen.add(id(query))
            self._visit(query, inner)

    # --- names ---

    def _target(self, node: Any, operation: str, format_: str | None = None) -> None:
        self._found.targets.append(WrittenTarget(self._parts(node), operation, format_))

    def _parts(self, node: Any) -> Parts:
        """Return the parts of a table's name; none of a function's."""
        exp = self._exp
        if isinstance(node, exp.Schema):
            name = self._parts(node.this)
            # `INSERT INTO IDENTIFIER(…)` looks like a table with a column.
            is_said = [part.upper() for part in name] == ["IDENTIFIER"]
            return parts_of(self._text(node.expressions)) if is_said else name
        if isinstance(node.this, (exp.Identifier, exp.Dot)):
            return tuple(part.name for part in node.parts)
        if isinstance(node.this, exp.Anonymous) and node.this.name.upper() == "IDENTIFIER":
            return parts_of(self._text(node.this.expressions))
        return ()

    def _text(self, nodes: Iterable[Any]) -> str:
        return "".join(piece for node in nodes for piece in self._pieces(node))

    def _pieces(self, node: Any) -> Iterator[str]:
        """Yield the pieces of a text that is put together of literals and parameters."""
        exp = self._exp
        if isinstance(node, exp.Literal):
            yield node.name
        elif isinstance(node, exp.Placeholder):
            yield str(self._argument(node))
        elif isinstance(node, (exp.DPipe, exp.Concat, exp.Paren)):
            for part in node.iter_expressions():
                yield from self._pieces(part)
        else:
            raise LookupError("the name of a table is computed")  # noqa: TRY004 - no wrong type

    def _argument(self, node: Any) -> Any:
        if node.this is None:
            position = self._position[id(node)]
            if isinstance(self._args, Sequence):
                return self._args[position]
        elif isinstance(self._args, Mapping):
            return self._args[node.name]
        raise LookupError("a parameter has no value")
