"""A plan of Spark's as a tree of Python's: the whole of it in eight calls of Java.

To walk a plan node by node would cost five calls for each node. Spark's own `map` visits them all, if
it is given a function of Scala, which Java makes of a method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_COMMAND = "org.apache.spark.sql.catalyst.plans.logical.Command"
_FILES = "org.apache.spark.sql.execution.datasources.HadoopFsRelation"
_TREE = "org.apache.spark.sql.catalyst.trees.TreeNode"
_PLAN = "org.apache.spark.sql.catalyst.plans.QueryPlan"
_FUNCTION = "scala.Function1"
_SEQUENCE = "scala.collection.Seq"


class Functions:
    """Functions of Scala over one node of a plan, and classes to compare with."""

    def __init__(self, jvm: Any) -> None:
        self.jvm = jvm
        language = jvm.java.lang
        self.class_of, self.handles = language.Class.forName, language.invoke.MethodHandles
        self._lookup = self.handles.publicLookup()
        self._proxies = language.invoke.MethodHandleProxies
        self._arrays = language.reflect.Array
        kind, name = self.method("java.lang.Object", "getClass"), "java.lang.Class"
        self.kind = self.function(
            self.handles.filterReturnValue(kind, self.method(name, "getName"))
        )
        self.node = self.function(self.handles.identity(self.class_of("java.lang.Object")))
        self.children = self._number_of(_TREE, "children")
        self.subqueries = self._number_of(_PLAN, "subqueries")
        self.command, self.files = self.class_of(_COMMAND), self.class_of(_FILES)

    def method(self, owner: str, name: str, *parameters: Any) -> Any:
        """Return a handle of a public method.

        Args:
            owner: Name of its class.
            name: Its name.
            parameters: Classes of its parameters.
        """
        classes = self.array("java.lang.Class", parameters)
        return self._lookup.unreflect(self.class_of(owner).getMethod(name, classes))

    def array(self, kind: str, items: Sequence[Any]) -> Any:
        """Return an array of Java.

        Args:
            kind: Name of the class of its items.
            items: What it holds.
        """
        made = self._arrays.newInstance(self.class_of(kind), len(items))
        for position, item in enumerate(items):
            self._arrays.set(made, position, item)
        return made

    def function(self, handle: Any) -> Any:
        """Return a function of Scala that calls a handle."""
        return self._proxies.asInterfaceInstance(self.class_of(_FUNCTION), handle)

    def _number_of(self, owner: str, name: str) -> Any:
        items, size = self.method(owner, name), self.method(_SEQUENCE, "size")
        kind = size.type().changeParameterType(0, items.type().returnType())
        return self.function(self.handles.filterReturnValue(items, size.asType(kind)))


_functions: Functions | None = None


def functions_of(jvm: Any) -> Functions:
    """Return the functions of a Java process, made when they are first needed.

    Args:
        jvm: A session's view of Java.
    """
    global _functions  # noqa: PLW0603 - one Java process at a time
    if _functions is None or _functions.jvm is not jvm:
        _functions = Functions(jvm)
    return _functions


@dataclass(frozen=True)
class PlanTree:
    """A plan; nodes are numbered from the root, each before its children.

    Attributes:
        root: The plan as an object of Java.
        kinds: Name of each node's class, without its package.
        children: Numbers of each node's children.
        subqueries: How many subqueries each node's expressions hold.
    """

    root: Any
    kinds: list[str]
    children: list[list[int]]
    subqueries: list[int]
    _nodes: Any

    def node(self, number: int) -> Any:
        """Return a node as an object of Java."""
        return self._nodes.apply(number)


def tree_of(plan: Any, functions: Functions) -> PlanTree:
    """Return the tree of a plan.

    Args:
        plan: An object of Java.
        functions: Those of its Java process.
    """
    kinds = plan.map(functions.kind).mkString("\n").split("\n")
    numbers = plan.map(functions.children).mkString(" ").split(" ")
    subqueries = plan.map(functions.subqueries).mkString(" ").split(" ")
    return PlanTree(
        plan,
        [kind.rpartition(".")[2] for kind in kinds],
        _children([int(number) for number in numbers]),
        [int(number) for number in subqueries],
        plan.map(functions.node),
    )


def _children(numbers: list[int]) -> list[list[int]]:
    """Return the children of each node, from how many each has."""
    children: list[list[int]] = [[] for _ in numbers]
    open_: list[int] = []
    for node, number in enumerate(numbers):
        while open_ and len(children[open_[-1]]) == numbers[open_[-1]]:
            open_.pop()
        if open_:
            children[open_[-1]].append(node)
        if number:
            open_.append(node)
    return children


def items(sequence: Any) -> Iterator[Any]:
    """Yield the items of a sequence of Scala."""
    for index in range(sequence.size()):
        yield sequence.apply(index)


def value_of(option: Any) -> Any:
    """Return what an option of Scala holds, None for nothing."""
    return option.get() if option.isDefined() else None
