"""What a statement of SQL names, from the text of its plan: where no parser is installed.

That text breaks off where it is long, and holds literals of the statement. Only such names are taken
from it as the statement itself has, outside of its literals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformare.capture.sql._names import FRAME_OF_ARGUMENT, is_path, parts_of
from conformare.capture.sql._written import Args, Parts, Written, WrittenTarget

_ANALYSED = "== Analyzed Logical Plan =="
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

# What is quoted is kept as it is; a comment is as much as a blank.
_LAYOUT = re.compile(
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|(?:--[^\n]*|/\*.*?\*/|\s)+""", re.DOTALL
)
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_READS_OR_WRITES = re.compile(
    r"\(*\s*(?:select|with|from|table|values|insert|merge|update|delete|create|replace|cache)\b",
    re.IGNORECASE,
)
_DROPPED_VIEW = re.compile(r"drop\s+view\s+(?:if\s+exists\s+)?([\w.`]+)", re.IGNORECASE)


def on_one_line(query: str) -> str:
    """Return a statement without comments and line breaks."""
    return _LAYOUT.sub(lambda found: found[1] or " ", query).strip()


def printed_statement(
    session: Any, text: str, args: Args, frames: Mapping[str, Any]
) -> Written | None:
    """Return what a statement names, None for one that neither reads nor changes data.

    Args:
        session: The session that has run it; it is asked once for the text of the plan.
        text: The statement.
        args: What its parameters stand for.
        frames: What is put into its braces.
    """
    line = on_one_line(text)
    if dropped := _DROPPED_VIEW.match(line):
        return Written(dropped=parts_of(dropped[1]))
    if not _READS_OR_WRITES.match(line):
        return None
    (row,) = session.sql(f"EXPLAIN EXTENDED {line}", args, **frames).collect()
    return parsed_statement(row[0].partition(_ANALYSED)[0], line)


@dataclass(frozen=True)
class _Line:
    depth: int
    name: str
    text: str


def parsed_statement(plan: str, statement: str) -> Written:
    """Return what a statement names.

    Args:
        plan: Text of its parsed plan.
        statement: The statement itself.
    """
    lines = list(_lines(plan))
    said = _LITERAL.sub("", statement).lower()
    with_names = {name for found in _CTE.findall(plan) for name in found.split(", ")}
    targets: dict[int, WrittenTarget] = {}
    for position, line in enumerate(lines):
        if line.name == "InsertIntoDir" and "directory" in said:
            directory = _DIRECTORY.search(line.text)
            if directory is None:
                continue
            targets[position] = WrittenTarget(
                (directory[1],), "insert", directory[2].lower(), is_folder=True
            )
        elif line.name in _OPERATIONS and (found := _target(lines, position)) is not None:
            place, name = found
            format_ = _SPECIFIED_FORMAT.search(line.text)
            targets[place] = WrittenTarget(
                _parts(name), _OPERATIONS[line.name], format_[1].lower() if format_ else None
            )
    named_targets = (
        target for target in targets.values() if target.is_folder or _is_in(said, target.parts)
    )
    written = Written(targets=list(dict.fromkeys(named_targets)))
    for position, line in enumerate(lines):
        named = _NAMED.search(line.text)
        if named is None or position in targets or "UnresolvedIdentifier" in line.text:
            continue
        if named[1] in with_names or named[1].startswith(FRAME_OF_ARGUMENT):
            continue
        parts = _parts(named[1])
        if _is_in(said, parts):
            written.reads.setdefault(parts)
    if view := _VIEW.search(plan):
        written.made, written.is_temporary = (view[1] or view[2],), True
    written.is_query = not (written.targets or written.made) and bool(lines)
    return written


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


def _is_in(said: str, parts: Parts) -> bool:
    """Whether a statement has a name outside of its literals."""
    return all(part.lower() in said for part in parts)


def _parts(name: str) -> Parts:
    parts = tuple(name.split(", "))
    return parts[-2:] if is_path(parts[-2:]) else parts
