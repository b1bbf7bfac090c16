"""What only Spark knows, asked late and once: columns, locations and formats.

It asks for schemas and plans, never for a job, and only for those schemas that a record needs and
that do not follow from others: a filter has the columns of its parent, `withColumn("x", …)` adds
`x` to them, and no more than that is counted. Where columns have fields inside, a step that makes
columns is asked all the same, for they may be somewhere else afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from conformare._guard import guard
from conformare.capture._content import Content
from conformare.capture._lineage import Columns, ColumnsOf, LookUp, Node, Origin
from conformare.capture._nested import columns_in, columns_of_frame


def resolve(content: Content) -> None:
    """Look up what a record needs.

    Args:
        content: What was captured; it is completed.
    """
    for position, look_up in content.source_look_ups.items():
        content.sources[position] = _placed(content.sources[position], _asked(look_up))
    for position, look_up in content.sink_look_ups.items():
        content.sinks[position] = _placed(content.sinks[position], _asked(look_up))
    for position, told in content.written.items():
        columns, sink = _told(told), content.sinks[position]
        content.sinks[position] = replace(sink, columns=columns.names, nested=columns.nested)
        _learn(content, sink.node, columns)
        if content.frames.pop(sink.frame, None) is not None:  # it has been asked just now
            _learn(content, sink.frame, columns)
    for answered in (content.source_look_ups, content.sink_look_ups, content.written):
        answered.clear()
    _resolve_frames(content)


def _resolve_frames(content: Content) -> None:
    """Ask the frames whose columns do not follow from those that they were made from."""
    nested: set[int] = set()
    for node in content.nodes:  # what a frame was made from comes before it
        number = node.number
        below_nested = not nested.isdisjoint(content.parents_of(number))
        if number in content.frames and (
            node.introduces is None or (node.introduces.moves and below_nested)
        ):
            _ask(content, number)
        if node.nested or (node.columns is None and below_nested):
            nested.add(number)


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
    sink, first = content.sinks[position], content.written.pop(position, None)
    known = Columns(sink.columns or (), sink.nested)
    told = [known, *([_told(first)] if first else []), _told(columns)]
    wider = Columns(
        tuple(dict.fromkeys(chain.from_iterable(each.names for each in told))),
        tuple(dict.fromkeys(chain.from_iterable(each.nested for each in told))),
    )
    content.sinks[position] = replace(sink, columns=wider.names, nested=wider.nested)
    _learn(content, sink_node, wider)


def columns_of(nodes: Sequence[Node], node: Node) -> Columns:
    """Return the columns of a node, as far as they have been looked up."""
    while node.columns is None and node.columns_of is not None:
        node = nodes[node.columns_of - 1]
    return Columns(node.columns or (), node.nested)


def _ask(content: Content, number: int) -> None:
    """Ask a frame for its columns and let go of it."""
    frame = content.frames.pop(number)
    _learn(content, number, _told(lambda: columns_of_frame(frame)))


def _learn(content: Content, number: int, columns: Columns) -> None:
    """Take note of the columns of a node."""
    node = content.nodes[number - 1]
    # Most frames have the fields of others: they are kept once.
    node.columns, node.nested = columns.names, content.one_for_all(columns.nested)


def _told(columns: ColumnsOf) -> Columns:
    with guard:
        return columns_in(columns())
    return Columns()


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
