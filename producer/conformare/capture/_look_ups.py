"""What only Spark knows, asked once: locations and formats at the call, columns late.

It asks for schemas and plans, never for a job, and only for those schemas that a record needs and
that do not follow from others: a filter has the columns of its parent, `withColumn("x", …)` adds
`x` to them, and no more than that is counted. Where columns have fields inside, a step that makes
columns is asked all the same, for they may be somewhere else afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from conformare._guard import guard
from conformare.capture._content import Content
from conformare.capture._data_names import shown_again, shown_column, shown_columns
from conformare.capture._lineage import Columns, ColumnsOf, Field, LookUp, Node, Sink, Source
from conformare.capture._nested import columns_in, columns_of_frame, rooted
from conformare.capture._untracked import untracked

Placed = TypeVar("Placed", Source, Sink)


def resolve(content: Content) -> None:
    """Look up what a record needs.

    Args:
        content: What was captured; it is completed.
    """
    _ask_for_data_names(content)
    for position, told in content.written.items():
        sink = content.sinks[position]
        columns = _shown(content, content.nodes[sink.frame - 1], _told(told))
        content.sinks[position] = replace(sink, columns=columns.names, nested=columns.nested)
        _learn(content, sink.node, columns)
        if content.frames.pop(sink.frame, None) is not None:  # it has been asked just now
            _learn(content, sink.frame, columns)
    content.written.clear()
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
    sink, node = content.sinks[position], content.nodes[sink_node - 1]
    first = content.written.pop(position, None)
    known = Columns(sink.columns or (), sink.nested)
    if first is not None:
        _ask_for_data_names(content)
        known = _shown(content, content.nodes[sink.frame - 1], _told(first))
        _learn(content, sink_node, known)
    told = _told(columns)
    wider = Columns(
        tuple(dict.fromkeys((*known.names, *shown_again(content.nodes, node, told.names)))),
        tuple(dict.fromkeys((*known.nested, *_shown_fields_again(content, node, told.nested)))),
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
    told = _told(lambda: columns_of_frame(frame))
    _learn(content, number, _shown(content, content.nodes[number - 1], told))


def _ask_for_data_names(content: Content) -> None:
    """Ask the frames first whose columns values of rows have named: others have them too."""
    for number in list(content.frames):
        if content.nodes[number - 1].data_named is not None:
            _ask(content, number)


def _shown(content: Content, node: Node, told: Columns) -> Columns:
    """Return the columns of a node as they may be shown, fields in those that data has named."""
    names = shown_columns(content.nodes, node, told.names)
    if node.data_named is None and not node.shaped_by:
        return Columns(names, told.nested)
    fields = (rooted(f, shown_column(content.nodes, node, f.names[0])) for f in told.nested)
    return Columns(names, tuple(dict.fromkeys(fields)))


def _shown_fields_again(content: Content, node: Node, nested: Iterable[Field]) -> Iterator[Field]:
    """Yield the fields of a sink that is written once more."""
    for field in nested:
        for name in shown_again(content.nodes, node, field.names[:1]):
            yield rooted(field, name)


def _learn(content: Content, number: int, columns: Columns) -> None:
    """Take note of the columns of a node."""
    node = content.nodes[number - 1]
    # Most frames have the fields of others: they are kept once.
    node.columns, node.nested = columns.names, content.one_for_all(columns.nested)


def _told(columns: ColumnsOf) -> Columns:
    with guard:
        return columns_in(columns())
    return Columns()


def placed(part: Placed, look_up: LookUp | None) -> Placed:
    """Return a source or a sink with what Spark knows of its place: later it may be gone.

    Args:
        part: The source or the sink.
        look_up: Asks for location and format, None where they are known.
    """
    if look_up is None:
        return part
    with guard, untracked():
        found = look_up()
        return replace(
            part,
            location=part.location if found.location is None else found.location,
            format=part.format if found.format is None else found.format,
        )
    return part
