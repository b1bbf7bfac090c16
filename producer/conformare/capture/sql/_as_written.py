"""What only the plan says that Spark has not analysed yet: patterns of paths, what was restored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformare.capture.locations import redacted
from conformare.capture.sql._file_systems import absolute
from conformare.capture.sql._names import is_path
from conformare.capture.sql._plan_tree import Functions, PlanTree, items, tree_of
from conformare.capture.sql._statement import Read, Statement, read_of_files

PATTERN = re.compile(r"[*?{\[]")
"""What makes a pattern of a path."""
_RESTORE = "RestoreTableStatement"


def is_restored(frame: Any) -> bool:
    """Whether the rows of a frame only tell of a table that was restored.

    Args:
        frame: A frame of a classic session that holds its rows.
    """
    plan = frame._jdf.queryExecution().logical()  # noqa: SLF001 - Spark shows plans nowhere else
    return bool(plan.getClass().getSimpleName() == _RESTORE)


def with_patterns(statement: Statement, frame: Any, functions: Functions) -> None:
    """Let a statement read the pattern that it names, not every file that matches it now.

    Args:
        statement: What the statement does; it is changed.
        frame: The frame of a classic session that it has made.
        functions: Those of its Java process.
    """
    plan = frame._jdf.queryExecution().logical()  # noqa: SLF001 - Spark shows plans nowhere else
    for format_, path in _patterns(tree_of(plan, functions), functions):
        pattern = read_of_files(absolute(path), format_)
        begin = redacted(absolute(PATTERN.split(path, maxsplit=1)[0] + "x"))[:-1]
        reads: dict[str, Read] = {}
        for location, read in statement.reads.items():
            matches = read.place.format == pattern.place.format and location.startswith(begin)
            found = pattern if matches else read
            reads.setdefault(found.place.location, found)
        statement.reads = reads


def _patterns(tree: PlanTree, functions: Functions) -> Iterator[tuple[str, str]]:
    """Yield format and path of each pattern that a plan names."""
    for number, kind in enumerate(tree.kinds):
        if kind == "UnresolvedRelation":
            parts = [str(part) for part in items(tree.node(number).multipartIdentifier())]
            if is_path(parts) and PATTERN.search(parts[1]):
                yield parts[0].lower(), parts[1]
        below = []
        if kind == "UnresolvedWith":
            below = [named.productElement(1) for named in items(tree.node(number).cteRelations())]
        if tree.subqueries[number]:
            below += items(tree.node(number).subqueries())
        for plan in below:
            yield from _patterns(tree_of(plan, functions), functions)
