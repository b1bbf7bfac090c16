"""What only Spark knows, asked once: locations and formats at the call, columns late.

It asks for schemas and plans, never for a job, and only for those schemas that a record needs and
that do not follow from others: a filter has the columns of its parent, `withColumn("x", …)` adds
`x` to them, and no more than that is counted. Where columns have fields inside, a step that makes
columns is asked all the same, for they may be somewhere else afterwards.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from conformare._guard import guard
from conformare.capture._asked import OfFrame, Told, told_by
from conformare.capture._content import Content
from conformare.capture._data_names import EXPRESSION, Hidden, Stand
from conformare.capture._lineage import MEMORY, Columns, ColumnsOf, LookUp, Node, Sink, Source
from conformare.capture._nested import rooted
from conformare.capture._untracked import untracked

Placed = TypeVar("Placed", Source, Sink)

NO_MORE: Mapping[str, Stand] = {}
"""No names beyond those that are known."""


def resolve(content: Content) -> None:
    """Look up what a record needs.

    Args:
        content: What was captured; it is completed.
    """
    frames = dict(content.frames)
    told = _ask_frames(content)
    for position, asked in content.written.items():
        sink = content.sinks[position]
        known = told.get(sink.frame) if _asks(asked, frames.get(sink.frame)) else None
        told_now = known or told_by(asked, named=True, whole=True)
        new = _new_names(content, sink.node, told_now) if known is None else {}
        columns = _shown_of(content, content.nodes[sink.frame - 1], told_now.columns, new)
        content.sinks[position] = replace(sink, columns=columns.names, nested=columns.nested)
        _learn(content, sink.node, columns)
        if content.frames.pop(sink.frame, None) is not None:  # it has been asked just now
            _learn(content, sink.frame, columns)
    content.written.clear()


def _new_names(content: Content, sink_node: int, told: Told) -> Mapping[str, Stand]:
    """Return what hides names that the frame of a sink has and no frame that was asked.

    Frames that are made by the same code are one node, and the first of them was asked.
    """
    if not told.made:
        return {}
    hidden = content.nodes[sink_node - 1].hidden
    seen: set[str] = set()
    for number in content.ancestors_of(sink_node):
        node = content.nodes[number - 1]
        seen.update(node.columns or (node.introduces.names if node.introduces else ()))
    return {n: Stand(shown) for n, shown in told.made.items() if hidden.shown(n) not in seen}


def _asks(asked: ColumnsOf, frame: Any) -> bool:
    return isinstance(asked, OfFrame) and asked.frame is frame


def _ask_frames(content: Content, among: Container[int] | None = None) -> dict[int, Told]:
    """Ask the frames whose columns do not follow from those that they were made from.

    Args:
        content: What was captured.
        among: Numbers of the nodes that are looked at, all unless given.
    """
    told: dict[int, Told] = {}
    nested: set[int] = set()
    for node in content.nodes:  # what a frame was made from comes before it
        number = node.number
        below_nested = not nested.isdisjoint(content.parents_of(number))
        if (
            (among is None or number in among)
            and number in content.frames
            and (node.introduces is None or (node.introduces.moves and below_nested))
        ):
            told[number] = _ask(content, number)
        fields = told[number].columns.nested if number in told else node.nested
        if fields or (node.columns is None and number not in told and below_nested):
            nested.add(number)
    _hide(content, told)
    for number, answer in told.items():
        _learn(content, number, _shown_of(content, content.nodes[number - 1], answer.columns))
    return told


def _ask(content: Content, number: int) -> Told:
    """Ask a frame for its columns and let go of it."""
    asked, unknown = OfFrame(content.frames.pop(number)), not content.is_made(number)
    return told_by(asked, named=unknown or content.names_columns(number), whole=unknown)


def _hide(content: Content, told: Mapping[int, Told]) -> None:
    """Find out which names hold data: those of a frame are also in what is made from it."""
    back = False
    of_memory = {source.node for source in content.sources if source.location == MEMORY}
    for turn in range(2):
        for node in content.nodes:
            parents = content.parents_of(node.number)
            back = back or any(parent > node.number for parent in parents)
            lent = _lent(content, node.number)
            if turn == 0:
                node.made_names = {**node.made_names, **_made_in(content, node, told, lent)}
                if node.number in of_memory and node.number in told:
                    node.made_names = _taken_in(content, node, told[node.number])
            node.hidden = lent.with_more(node.made_names)
        if not back:  # where a step feeds itself, what is made from it comes before it, too
            return


def _taken_in(content: Content, node: Node, answer: Told) -> Mapping[str, Stand]:
    """Return the names that hold data in rows which the process may have taken from other frames."""
    before = Hidden.together(other.hidden for other in content.nodes[: node.number - 1])
    return before.among(answer.columns.names)


def _lent(content: Content, number: int) -> Hidden:
    """Return the names that hold data in what a node was made from."""
    parents = content.parents_of(number)
    return Hidden.together(content.nodes[parent - 1].hidden for parent in parents)


def _made_in(
    content: Content, node: Node, told: Mapping[int, Told], lent: Hidden
) -> Mapping[str, Stand]:
    """Return the names that hold data in a node and in none that it was made from."""
    answer = told.get(node.number, Told())
    made = answer.made
    if node.number in content.made_names:
        made = {"": EXPRESSION}  # where nobody can tell
        with guard:
            made = content.made_names.pop(node.number)()
    stands = {name: Stand(lent.shown(shown)) for name, shown in made.items()}
    if node.data_named is not None:
        shown = lent.shown(node.data_named.shown)
        values = answer.columns.names[node.data_named.first :]
        stands.update({value: Stand(shown, alone=True) for value in values if value})
    return stands


def resolve_all(content: Content) -> None:
    """Look up the columns of every frame as well, also those that follow from others."""
    resolve(content)
    for number in list(content.frames):
        _learn(
            content,
            number,
            _shown_of(content, content.nodes[number - 1], _ask(content, number).columns),
        )


def widen(content: Content, sink_node: int, asked: ColumnsOf) -> None:
    """Add the columns of another frame that was written the same way to those of a sink.

    Args:
        content: What was captured.
        sink_node: Number of the sink's node.
        asked: Asks the other frame.
    """
    # Sinks are in the order of their nodes.
    position = bisect_left(content.sinks, sink_node, key=lambda sink: sink.node)
    sink = content.sinks[position]
    first = content.written.pop(position, None)
    known = Columns(sink.columns or (), sink.nested)
    if first is not None:
        _ask_frames(content, among=content.ancestors_of(sink_node))
        known = _shown_of(content, content.nodes[sink.frame - 1], told_by(first).columns)
        _learn(content, sink_node, known)
    # The frame is another one than the one that was asked, whatever it has in common with it.
    told = told_by(asked, named=True, whole=True)
    hidden = content.nodes[sink_node - 1].hidden.with_more(_new_names(content, sink_node, told))
    fields = (
        rooted(field, name)
        for field in told.columns.nested
        for name in hidden.again(field.names[:1], known.names)
    )
    wider = Columns(
        tuple(dict.fromkeys((*known.names, *hidden.again(told.columns.names, known.names)))),
        tuple(dict.fromkeys((*known.nested, *fields))),
    )
    content.sinks[position] = replace(sink, columns=wider.names, nested=wider.nested)
    _learn(content, sink_node, wider)


def columns_of(nodes: Sequence[Node], node: Node) -> Columns:
    """Return the columns of a node, as far as they have been looked up."""
    while node.columns is None and node.columns_of is not None:
        node = nodes[node.columns_of - 1]
    return Columns(node.columns or (), node.nested)


def _shown_of(
    content: Content, node: Node, told: Columns, new: Mapping[str, Stand] = NO_MORE
) -> Columns:
    """Return the columns of a node as they may be shown, fields in those whose names hold data."""
    pivot = node.data_named
    if pivot is None:
        hidden = node.hidden.with_more(new)
        return _shown(told, hidden.over(told.names), hidden)
    lent, made = _lent(content, node.number), node.made_names
    keys = told.names[: pivot.first]
    named = {name: stand for name, stand in made.items() if not stand.alone}
    hidden = lent.with_more({**named, **new})
    names = (*hidden.over(keys), *(lent.shown(pivot.shown) for _ in told.names[pivot.first :][:1]))
    hidden = hidden.with_more({name: stand for name, stand in made.items() if name not in keys})
    return _shown(told, names, hidden)


def _shown(told: Columns, names: tuple[str, ...], hidden: Hidden) -> Columns:
    if not hidden:
        return told
    fields = (rooted(field, hidden.shown(field.names[0])) for field in told.nested)
    return Columns(names, tuple(dict.fromkeys(fields)))


def _learn(content: Content, number: int, columns: Columns) -> None:
    """Take note of the columns of a node."""
    node = content.nodes[number - 1]
    # Most frames have the fields of others: they are kept once.
    node.columns, node.nested = columns.names, content.one_for_all(columns.nested)


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
