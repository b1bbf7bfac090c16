"""Names that Spark has made, from the plan that it has resolved: for classic sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from conformare.capture._data_names import EXPRESSION, is_plain
from conformare.capture.spark.naming._literals import HIDDEN, may_be_shown
from conformare.capture.spark.sql._plan_tree import Functions, functions_of, items, tree_of

_CATALYST = "org.apache.spark.sql.catalyst"
_ALIAS = f"{_CATALYST}.expressions.Alias"
_SEPARATOR = "\0"


def names_in_plan(frame: Any, names: Sequence[str]) -> dict[str, str]:
    """Return the names that Spark has made of expressions with literals, with what is shown.

    Args:
        frame: A frame of a classic session.
        names: The names of its columns, in which those that are returned stand.
    """
    execution = frame._jdf.queryExecution()  # noqa: SLF001 - Spark shows plans nowhere else
    plan = execution.analyzed()
    if plan.nodeName() == "CommandResult":  # of EXECUTE IMMEDIATE
        plan = plan.commandLogicalPlan()
    aliases = _aliases_of(frame.sparkSession._jvm)  # noqa: SLF001 - Spark shows plans nowhere else
    return aliases.made(plan, execution, names)


def names_in_statement(jvm: Any, plans: Iterable[Any]) -> dict[str, str]:
    """Return the names that Spark has made in a statement which returns no rows.

    Args:
        jvm: A session's view of Java.
        plans: The plans of its queries.
    """
    made: dict[str, str] = {}
    for plan in plans:
        made.update(_aliases_of(jvm).made(plan, None, None))
    return made


class _Aliases:
    """Finds the names in plans of one Java process."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        handles, jvm = functions.handles, functions.jvm
        self._expressions = functions.function(
            functions.method(f"{_CATALYST}.plans.QueryPlan", "expressions")
        )
        is_instance = functions.method(
            "java.lang.Class", "isInstance", functions.class_of("java.lang.Object")
        )
        self._is_alias = functions.function(is_instance.bindTo(functions.class_of(_ALIAS)))
        keys = functions.method(_ALIAS, "nonInheritableMetadataKeys")
        is_empty = functions.method("scala.collection.Seq", "isEmpty")
        kind = is_empty.type().changeParameterType(0, keys.type().returnType())
        # An alias that the author gives to a Column has such keys, one of Spark's has none.
        self._without_keys = functions.function(
            handles.filterReturnValue(keys, is_empty.asType(kind))
        )
        self._pattern = jvm.org.apache.spark.sql.catalyst.trees.TreePattern.LITERAL()
        contains = functions.method(
            f"{_CATALYST}.trees.TreeNode",
            "containsPattern",
            functions.class_of("scala.Enumeration$Value"),
        )
        self._has_literal = functions.function(
            handles.insertArguments(
                contains, 1, functions.array("java.lang.Object", [self._pattern])
            )
        )
        child = functions.method(_ALIAS, "child")
        self._name = functions.function(handles.filterReturnValue(child, self._pretty_handle()))
        expressions = jvm.org.apache.spark.sql.catalyst.expressions
        self._stand_in = expressions.PrettyAttribute
        self._literal = functions.class_of(f"{_CATALYST}.expressions.Literal")
        self._rewritten = functions.class_of(f"{_CATALYST}.expressions.InheritAnalysisRules")

    def _pretty_handle(self) -> Any:
        """Return what gives an expression the name that Spark would give to its column."""
        functions = self._functions
        owner, expression = f"{_CATALYST}.util.package", f"{_CATALYST}.expressions.Expression"
        parameters = [functions.class_of(expression)]
        self._said: tuple[Any, ...] = ()
        if any(each.getParameterCount() > 1 for each in self._methods(owner, "toPrettySQL")):
            self._said = (False,)
            parameters.append(functions.jvm.java.lang.Boolean.TYPE)
        handle = functions.method(owner, "toPrettySQL", *parameters)
        said = functions.array("java.lang.Object", self._said)
        return functions.handles.insertArguments(handle, 1, said)

    def _methods(self, owner: str, name: str) -> Iterator[Any]:
        yield from (m for m in self._functions.class_of(owner).getMethods() if m.getName() == name)

    def made(self, plan: Any, execution: Any, names: Sequence[str] | None) -> dict[str, str]:
        """Return the names that Spark has made of literals in a plan, with what is shown instead.

        Args:
            plan: The plan, resolved.
            execution: What knows the plan before it was resolved; None where nobody asks.
            names: Those of the columns, all that are found unless given.
        """
        found = self._in(plan)
        made: dict[str, str] = {}
        if found.isEmpty():
            return made
        authored: set[int] | None = None
        texts = found.iterator().map(self._name).mkString(_SEPARATOR).split(_SEPARATOR)
        for number, text in enumerate(texts):
            if text in made or not (names is None or any(text in name for name in names)):
                continue
            alias = found.apply(number)
            # What was rewritten has another name in between, but no word is an expression's.
            if alias.name() != text and "(" not in text:
                continue
            if is_plain(text):
                authored = self._authored(plan, execution) if authored is None else authored
                if alias.exprId().id() in authored:
                    continue
            shown = self._shown(alias.child(), text)
            if shown != text:
                made[text] = shown
        return made

    def _in(self, plan: Any) -> Any:
        """Return the aliases with literals in a plan to which no author's Column gave a name."""
        expressions = plan.flatMap(self._expressions)
        aliases = expressions.filter(self._is_alias).filter(self._without_keys)
        return aliases.filter(self._has_literal)

    def _authored(self, plan: Any, execution: Any) -> set[int]:
        """Return the numbers of aliases that do not tell whether Spark has made their names.

        `'x' AS x` looks like `'x'` once it is resolved, but its alias was there before.
        """
        tree = tree_of(plan, self._functions)
        views = [tree.node(n) for n, kind in enumerate(tree.kinds) if kind == "View"]
        said = [] if execution is None else [execution.logical()]
        if said and said[0].nodeName() == "Aggregate":  # Spark names the keys of `groupBy` at once
            said = list(items(said[0].children()))
        return {alias.exprId().id() for each in (*views, *said) for alias in items(self._in(each))}

    def _shown(self, expression: Any, text: str) -> str:
        """Return the name of an expression without its literals."""
        literals: list[str] = []
        try:
            shown = self._pretty(self._without_literals(expression, literals))
        except Exception:  # noqa: BLE001 - some expressions take no others than they have
            return EXPRESSION
        # What holds a literal elsewhere than among its children would still show it.
        kept = shown == text if literals else shown != text
        return EXPRESSION if kept or any(_stands_in(shown, text) for text in literals) else shown

    def _pretty(self, expression: Any) -> str:
        pretty = self._functions.jvm.org.apache.spark.sql.catalyst.util.package.toPrettySQL
        return str(pretty(expression, *self._said))

    def _without_literals(self, expression: Any, literals: list[str]) -> Any:
        if self._literal.isInstance(expression):
            text = self._pretty(expression)
            if may_be_shown(text):
                return expression
            literals.append(text)
            return self._stand_in(HIDDEN, expression.dataType())
        if self._rewritten.isInstance(expression):  # named after what was written
            parts = [self._without_literals(p, literals) for p in items(expression.parameters())]
            text = expression.makeSQLString(self._sequence([self._pretty(p) for p in parts]))
            return self._stand_in(text, expression.dataType())
        if not expression.containsPattern(self._pattern):
            return expression
        children = [self._without_literals(c, literals) for c in items(expression.children())]
        return expression.withNewChildren(self._sequence(children))

    def _sequence(self, values: list[Any]) -> Any:
        return self._functions.jvm.PythonUtils.toSeq(values)


def _stands_in(text: str, literal: str) -> bool:
    words = rf"(?<!\w){re.escape(literal)}(?!\w)"
    return re.search(r"\w", literal) is not None and re.search(words, text) is not None


_aliases: _Aliases | None = None


def _aliases_of(jvm: Any) -> _Aliases:
    """Return what finds names in the plans of a Java process, made when it is first needed."""
    global _aliases  # noqa: PLW0603 - one Java process at a time
    functions = functions_of(jvm)
    if _aliases is None or _aliases._functions is not functions:  # noqa: SLF001 - our own
        _aliases = _Aliases(functions)
    return _aliases
