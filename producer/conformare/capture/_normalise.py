"""Text of an expression that only its meaning changes: no layout, no quotes, no frame names."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import Any

IsFrame = Callable[[Any], bool]
Lookup = Callable[[str], Any]

FRAME_TOKEN = "_frame_"  # noqa: S105 - stands for every data frame, whatever its name

# A call of one of these on a frame is a step of its own: where its result is an argument of
# another call, it counts as a frame without a name.
STEPS_WITHIN = frozenset(
    """
    select selectExpr alias filter where withColumn withColumns withColumnRenamed
    withColumnsRenamed withMetadata toDF to join crossJoin lateralJoin drop dropDuplicates
    drop_duplicates distinct fillna dropna replace union unionAll unionByName intersect
    intersectAll exceptAll subtract unpivot melt orderBy sort sortWithinPartitions limit offset
    sample sampleBy repartition repartitionByRange coalesce hint transform agg cache persist
    checkpoint localCheckpoint
    """.split()  # noqa: SIM905 - a list of names reads better as words
)


def normalised(expression: ast.expr, lookup: Lookup, is_frame: IsFrame) -> str:
    """Return the text of an expression with every frame in it called the same.

    Args:
        expression: As parsed from the source; it is left as it is.
        lookup: Name → value where the expression stands, None for an unknown name.
        is_frame: Tells data frames from other values.
    """
    tree = _FrameNames(lookup, is_frame).visit(copy.deepcopy(expression))
    return ast.unparse(tree)


class _FrameNames(ast.NodeTransformer):
    def __init__(self, lookup: Lookup, is_frame: IsFrame) -> None:
        self._lookup = lookup
        self._is_frame = is_frame

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._token_if_frame(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._token_if_frame(node) or self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._token_if_frame(node) or self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        inner = self.generic_visit(node)
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == FRAME_TOKEN
            and function.attr in STEPS_WITHIN
        ):
            return ast.Name(FRAME_TOKEN, ast.Load())
        return inner

    def _token_if_frame(self, node: ast.expr) -> ast.Name | None:
        if self._is_frame(self._value(node)):
            return ast.Name(FRAME_TOKEN, ast.Load())
        return None

    def _value(self, node: ast.expr) -> Any:
        """Look an expression up without running any code of the user's."""
        if isinstance(node, ast.Name):
            return self._lookup(node.id)
        if isinstance(node, ast.Attribute):
            attributes = getattr(self._value(node.value), "__dict__", None)
            return attributes.get(node.attr) if type(attributes) is dict else None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return _item(self._value(node.value), node.slice.value)
        return None


def _item(container: Any, key: Any) -> Any:
    if type(container) is dict:
        return container.get(key)
    if (
        type(container) in (list, tuple)
        and type(key) is int
        and -len(container) <= key < len(container)
    ):
        return container[key]
    return None
