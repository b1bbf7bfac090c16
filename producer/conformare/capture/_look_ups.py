"""What only Spark knows, asked late and once: columns, locations and formats.

It asks for schemas and plans, never for a job, and only for those schemas that a record needs and
that do not follow from others: a filter has the columns of its parent, `withColumn("x", …)` adds
`x` to them, and no more than that is counted.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import Any

from conformare._guard import guard
from conformare.capture._content import Content
from conformare.capture._data_names import shown_again, shown_columns
from conformare.capture._lineage import ColumnsOf, LookUp, Node, Origin


def resolve(content: Content) -> None:
    """Look up what a record needs.

    Args:
        content: What was captured; it is completed.
    """
    for position, look_up in content.source_look_ups.items():
        content.sources[position] = _placed(content.sources[position], _asked(look_up))
    for position, look_up in content.sink_look_ups.items():
        content.sinks[position] = _placed(content.sinks[position], _asked(look_up))
    _ask_for_data_names(content)
    for position, columns in content.written.items():
        sink = content.sinks[position]
        names = shown_columns(content.nodes, content.nodes[sink.frame - 1], _named(columns))
        content.sinks[position] = replace(sink, columns=names)
        content.nodes[sink.node - 1].columns = names
        if sink.frame in content.frames:  # it has been asked just now
            content.nodes[sink.frame - 1].columns = names
            del content.frames[sink.frame]
    for answered in (content.source_look_ups, content.sink_look_ups, content.written):
        answered.clear()
    for number in list(content.frames):
        if content.nodes[number - 1].introduces is None:
            _ask(content, number)


def resolve_all(content: Content) -> None:
    """Look up the columns of every frame as well, also those that follow from others."""
    resolve(content)
    for number in list(content.frames):
        _ask(content, number)


def widen(content: Content, sink_node: int, columns: ColumnsOf) -> None:
    """Add the columns of another frame that was written the same way to those of a sink.

    Args:
        content: What was captured.
        sink_node: Number of the sink's node.
        columns: Asks the other frame.
    """
    # Sinks are in the order of their nodes.
    position = bisect_left(content.sinks, sink_node, key=lambda sink: sink.node)
    sink, node = content.sinks[position], content.nodes[sink_node - 1]
    first = content.written.pop(position, None)
    known = sink.columns or ()
    if first is not None:
        _ask_for_data_names(content)
        known = shown_columns(content.nodes, content.nodes[sink.frame - 1], _named(first))
        node.columns = known
    names = tuple(dict.fromkeys((*known, *shown_again(content.nodes, node, _named(columns)))))
    content.sinks[position] = replace(sink, columns=names)
    node.columns = names


def columns_of(content: Content, node: Node) -> tuple[str, ...]:
    """Return the columns of a node, as far as they have been looked up."""
    while node.columns is None and node.columns_of is not None:
        node = content.nodes[node.columns_of - 1]
    return node.columns or ()


def _ask(content: Content, number: int) -> None:
    """Ask a frame for its columns and let go of it."""
    frame, node = content.frames.pop(number), content.nodes[number - 1]
    names = _named(lambda: tuple(map(str, frame.columns)))
    node.columns = shown_columns(content.nodes, node, names)


def _ask_for_data_names(content: Content) -> None:
    """Ask the frames first whose columns values of rows have named: others have them too."""
    for number in list(content.frames):
        if content.nodes[number - 1].data_named is not None:
            _ask(content, number)


def _named(columns: ColumnsOf) -> tuple[str, ...]:
    with guard:
        return columns()
    return ()


def _asked(look_up: LookUp) -> Origin:
    with guard:
        return look_up()
    return Origin()


def _placed(part: Any, found: Origin) -> Any:
    """Return a source or a sink with what is known better by now."""
    return replace(
        part,
        location=part.location if found.location is None else found.location,
        format=part.format if found.format is None else found.format,
    )
