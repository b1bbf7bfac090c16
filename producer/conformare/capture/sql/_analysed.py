"""What a statement does, from the plan that Spark has made of it: no job, no further analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformare.capture.sql._as_written import is_restored, with_patterns
from conformare.capture.sql._commands import (
    DROPPED_VIEWS,
    VIEWS,
    WRITES,
    key_of_view,
)
from conformare.capture.sql._names import FRAME_OF_ARGUMENT, parts_of, view_key
from conformare.capture.sql._plan_tree import (
    Functions,
    PlanTree,
    functions_of,
    items,
    tree_of,
)
from conformare.capture.sql._relations import reads_of
from conformare.capture.sql._statement import Statement

_SETS_VARIABLE = "SetVariable"
_ROWS = "LocalRelation"


def analysed(frame: Any, views: Mapping[str, int]) -> Statement:
    """Return what the statement or the read behind a frame does.

    Args:
        frame: A frame of a classic session.
        views: Views that stand for frames, by their keys, with their nodes.
    """
    functions = functions_of(frame.sparkSession._jvm)  # noqa: SLF001 - Spark shows plans nowhere else
    plan = frame._jdf.queryExecution().analyzed()  # noqa: SLF001 - Spark shows plans nowhere else
    tree = tree_of(plan, functions)
    if tree.kinds[0] == "CommandResult":  # of EXECUTE IMMEDIATE
        plan = plan.commandLogicalPlan()
        tree = tree_of(plan, functions)
    walk = _Walk(functions, views)
    walk.visit(tree)
    statement = walk.statement
    if any(read.place.format for read in statement.reads.values()):
        with_patterns(statement, frame, functions)
    if tree.kinds == [_ROWS]:
        statement.is_query = not is_restored(frame)
    elif tree.kinds[0] == _SETS_VARIABLE:
        statement.is_query = bool(statement.reads or statement.links)
    else:
        is_command = statement.targets or statement.made or functions.command.isInstance(plan)
        statement.is_query = not is_command
    return statement


class _Walk:
    """A walk through a plan, and through the plans that it holds in other places than below it."""

    def __init__(self, functions: Functions, views: Mapping[str, int]) -> None:
        self.statement = Statement()
        self._functions = functions
        self._views = views
        self._rewritten: set[str] = set()
        # Those of WITH, by number: what nobody refers to is not read.
        self._definitions: dict[int, tuple[PlanTree, int]] = {}

    def visit(self, tree: PlanTree) -> None:
        """Go through a tree."""
        self.statement.plans.append(tree.root)
        waiting = [(tree, 0)]
        while waiting:
            tree, number = waiting.pop()
            found = self._below(tree, number)
            if tree.subqueries[number]:
                subqueries = items(tree.node(number).subqueries())
                found += [(tree_of(plan, self._functions), 0) for plan in subqueries]
            self.statement.plans += [other.root for other, _ in found if other is not tree]
            waiting += reversed(found)
        for location in self._rewritten:
            self.statement.reads.pop(location, None)

    def _below(self, tree: PlanTree, number: int) -> list[tuple[PlanTree, int]]:
        """Take note of a node, and return where to go on."""
        kind, children = tree.kinds[number], tree.children[number]
        if kind == "WithCTE":
            for definition in children[:-1]:
                self._definitions[tree.node(definition).id()] = (tree, definition)
            return [(tree, children[-1])]
        if kind == "CTERelationRef":
            definition_of = self._definitions.pop(tree.node(number).cteId(), None)
            return [] if definition_of is None else [definition_of]
        if kind == "View" and self._is_linked(tree.node(number)):
            return []
        if kind in WRITES:
            return self._write(tree, number)
        if kind in VIEWS or kind in DROPPED_VIEWS:
            return self._view(kind, tree.node(number))
        if not children:
            self._read(tree, number)
        return [(tree, child) for child in children]

    def _view(self, kind: str, command: Any) -> list[tuple[PlanTree, int]]:
        """Take note of a view that is made or dropped."""
        if kind in DROPPED_VIEWS:
            self.statement.dropped = key_of_view(kind, command)
            return []
        self.statement.made = key_of_view(kind, command)
        return [(tree_of(getattr(command, VIEWS[kind][1])(), self._functions), 0)]

    def _is_linked(self, view: Any) -> bool:
        """Take note of a view that stands for a frame of this process."""
        parts = parts_of(view.desc().identifier().quotedString())
        if parts[-1].startswith(FRAME_OF_ARGUMENT):
            return True
        node = self._views.get(view_key(parts))
        if node is None:
            return False
        self.statement.links[node] = None
        return True

    def _write(self, tree: PlanTree, number: int) -> list[tuple[PlanTree, int]]:
        command, write = tree.node(number), WRITES[tree.kinds[number]]
        if write.is_definition(command):
            return []
        target = write.target(command, self._functions)
        self.statement.targets.append(target)
        if write.rewrites_target:
            self._rewritten.add(target.place.location)
        if write.source is not None:
            self.statement.add_read(write.source(command, self._functions))
        if write.reads == ("query",) and tree.children[number]:
            return [(tree, child) for child in tree.children[number]]
        plans = [getattr(command, method)() for method in write.reads]
        return [(tree_of(plan, self._functions), 0) for plan in plans]

    def _read(self, tree: PlanTree, number: int) -> None:
        kind = tree.kinds[number]
        for read in reads_of(kind, tree.node(number), self._functions):
            self.statement.add_read(read)
