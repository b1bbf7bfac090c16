"""What a statement of SQL reads and writes, from the text of its plan as Spark has parsed it.

That text is the same in a classic and in a Connect session. It holds literals of the statement:
only names are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OPERATIONS = {
    "InsertIntoStatement": "insert",
    "OverwriteByExpression": "insert",
    "OverwritePartitionsDynamic": "insert",
    "MergeIntoTable": "merge",
    "UpdateTable": "update",
    "DeleteFromTable": "delete",
    "CreateTableAsSelect": "create",
    "ReplaceTableAsSelect": "replace",
    "InsertIntoDir": "insert",
}
_NODE = re.compile(r"(?P<lead>[\s:]*(?:[:+]- )?)'?(?P<name>[A-Za-z]\w*)")
_NAMED = re.compile(r"Unresolved(?:Relation|Identifier) \[([^\]]*)\]")
_CTE = re.compile(r"^[\s:+-]*(?:'?UnresolvedWith|CTE) \[([^\]]*)\]", re.MULTILINE)
_DIRECTORY = re.compile(r"InsertIntoDir .*?\bLocation: ([^,)]+).*?\), (\w+)")
_SPECIFIED_FORMAT = re.compile(r"tablespec\((?:map\(.*?\), ?)?some\((\w+)\)", re.IGNORECASE)
_VIEW = re.compile(r"CreateViewCommand `([^`]+)`|CacheTableAsSelect (\w+),")
_INDENT = 3
# What pyspark names the frames that a query is given by name.
_FRAME_OF_ARGUMENT = "_pyspark_"


@dataclass(frozen=True)
class Target:
    """One place that a statement writes to.

    Attributes:
        name: Name of a table, or a path.
        operation: insert, merge, update, delete, create or replace.
        format: Format of the data, None where only the catalog knows.
        is_path: Whether the name is a path.
    """

    name: str
    operation: str
    format: str | None = None
    is_path: bool = False


@dataclass(frozen=True)
class Statement:
    """What a statement does.

    Attributes:
        targets: Where it writes to.
        reads: Names of the tables and views that it reads, paths among them.
        view: Name of the view that it makes.
    """

    targets: tuple[Target, ...] = ()
    reads: tuple[str, ...] = ()
    view: str | None = None


@dataclass(frozen=True)
class _Line:
    depth: int
    name: str
    text: str


def parsed_statement(plan: str) -> Statement:
    """Return what a statement reads and writes.

    Args:
        plan: Text of its parsed plan.
    """
    lines = list(_lines(plan))
    with_names = {name for found in _CTE.findall(plan) for name in found.split(", ")}
    targets: dict[int, Target] = {}
    for position, line in enumerate(lines):
        if line.name == "InsertIntoDir" and (directory := _DIRECTORY.search(line.text)):
            targets[position] = Target(directory[1], "insert", directory[2].lower(), is_path=True)
        elif line.name in _OPERATIONS:
            found = _target(lines, position)
            if found is not None:
                place, name = found
                format_ = _SPECIFIED_FORMAT.search(line.text)
                targets[place] = _named_target(
                    name, _OPERATIONS[line.name], format_[1].lower() if format_ else None
                )
    reads: dict[str, None] = {}
    for position, line in enumerate(lines):
        named = _NAMED.search(line.text)
        if named is None or position in targets or "UnresolvedIdentifier" in line.text:
            continue
        if named[1] not in with_names and not named[1].startswith(_FRAME_OF_ARGUMENT):
            reads.setdefault(_joined(named[1]))
    view = _VIEW.search(plan)
    return Statement(
        tuple(dict.fromkeys(targets.values())),
        tuple(reads),
        (view[1] or view[2]) if view else None,
    )


def _lines(plan: str) -> Iterator[_Line]:
    for text in plan.splitlines():
        node = _NODE.match(text)
        if node is not None:
            yield _Line(len(node["lead"]) // _INDENT, node["name"], text)


def _target(lines: list[_Line], position: int) -> tuple[int, str] | None:
    """Find the line that names what an operation writes to, and the name.

    It is in the line of the operation itself, or its first child that is a table, or an alias of
    one. Older versions of Spark do not mark it.
    """
    operation = lines[position]
    if named := _NAMED.search(operation.text):
        return position, named[1]
    depth = operation.depth + 1
    for place in range(position + 1, len(lines)):
        line = lines[place]
        if line.depth < depth:
            break
        below_alias = lines[place - 1].name == "SubqueryAlias" and lines[place - 1].depth == depth
        is_child = line.depth == depth or below_alias
        if is_child and (named := _NAMED.search(line.text)):
            return place, named[1]
    return None


def _named_target(name: str, operation: str, format_: str | None) -> Target:
    parts = name.split(", ")
    # A path with its format in place of a database.
    if len(parts) == 2 and re.search(r"[/\\]", parts[1]):  # noqa: PLR2004 - format and path
        return Target(parts[1], operation, parts[0].lower(), is_path=True)
    return Target(".".join(parts), operation, format_)


def _joined(name: str) -> str:
    parts = name.split(", ")
    return parts[-1] if "/" in parts[-1] else ".".join(parts)
