"""What a store holds, and what makes two steps, reads or writes the same one.

A step that is repeated is one step: same place in the source, same operation, same arguments as far
as they are text, same open blocks, made from the same nodes. So what is held grows with what the
pipeline's author wrote, not with how often it ran. Where a step feeds itself (`df = f(df)` in a
loop), its parents differ each time; after `MOST_AT_ONE_PLACE` of them all further ones are one node,
whose parents are those of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from conformare.capture._lineage import (
    ColumnsOf,
    Event,
    Expectation,
    Field,
    Kind,
    Logic,
    MadeNames,
    Node,
    Place,
    Sink,
    Source,
)
from conformare.capture._scope import Declared, Group, Scope

NODE_KEY = "__conformare_node__"
"""Where a frame carries the identity of its node: in its `__dict__`, never as an attribute."""

SPARK = "spark"
"""The engine of what is tracked."""

MOST_AT_ONE_PLACE = 1_000
"""So many distinct nodes may come from one operation at one place in the source."""

# Where Spark names columns that the author does not; a view may hold any query.
_NAMING = frozenset(
    ("select", "selectExpr", "sql", "spark.table", "spark.read", "spark.readStream")
)


@dataclass(frozen=True)
class Origination:
    """What makes an event the same as an earlier one, its parents apart.

    Attributes:
        place: Where the call stands; None for a call that is never the same as another.
        what: Kind, operation, and everything else that tells it from others at this place.
    """

    place: Place | None
    what: tuple[Hashable, ...]

    @property
    def everything(self) -> tuple[Hashable, ...]:
        """What all events of this kind and operation at this place have in common."""
        return (self.place, *self.what[:2])


@dataclass
class Content:
    """Everything that `clear` throws away; not locked, the store does that."""

    nodes: list[Node] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    groups: dict[Group, dict[Declared, None]] = field(default_factory=dict)
    risks: dict[Declared, None] = field(default_factory=dict)
    # Views of the session by name, in lower case.
    views: dict[str, int] = field(default_factory=dict)
    # Frames whose columns nobody has asked for yet, by number of node. A frame held here keeps
    # its plan alive on the driver; there is one for each distinct step at most.
    frames: dict[int, Any] = field(default_factory=dict)
    # Who knows the columns of a sink, by position.
    written: dict[int, ColumnsOf] = field(default_factory=dict)
    # Who knows the names that Spark has made in a node without a frame, by its number.
    made_names: dict[int, MadeNames] = field(default_factory=dict)
    _known: dict[Hashable, int] = field(default_factory=dict)
    _at_one_place: Counter[Hashable] = field(default_factory=Counter)
    # Position of the result of a check.
    _checked: dict[Hashable, int] = field(default_factory=dict)
    # Position of the event that made a node.
    _event_of: dict[int, int] = field(default_factory=dict)
    _nested: dict[tuple[Field, ...], tuple[Field, ...]] = field(default_factory=dict)

    def declare(self, scope: Scope) -> None:
        """Take note of the groups and risks of blocks that have been entered."""
        for group in scope.groups:
            self.groups.setdefault(group, {})
        for risk in scope.risks:
            self.risks.setdefault(risk)
            if scope.groups:
                self.groups[scope.groups[-1]].setdefault(risk)

    def node_of(self, frame: Any) -> Node | None:
        """Return the node of a frame, None if the frame has not been seen."""
        # The list's own identity tells nodes of before a `clear` from those of after it.
        mark: tuple[list[Node], int] | None = frame.__dict__.get(NODE_KEY)
        if mark is None or mark[0] is not self.nodes:
            return None
        return self.nodes[mark[1] - 1]

    def mark(self, frame: Any, number: int) -> None:
        """Let a frame be one of a node's."""
        frame.__dict__[NODE_KEY] = (self.nodes, number)

    def new_node(self, label: str | None, parent: Node | None = None) -> Node:
        """Make a node, named after its place in the chain where it has no name of its own."""
        number = len(self.nodes) + 1
        if label is not None:
            node = Node(number, label, label)
        elif parent is not None:
            depth = parent.depth + 1
            node = Node(number, f"{parent.base}.c{depth}", parent.base, depth)
        else:
            node = Node(number, f"<df{number}>", f"<df{number}>")
        self.nodes.append(node)
        return node

    def root(self, frame: Any, label: str | None, place: Place | None) -> Node:
        """Return the node of a frame that a step starts from, a new one if it has not been seen."""
        node = self.node_of(frame)
        if node is None:
            origination = Origination(place, ("root", label))
            if self._is_full(origination):
                node = self.nodes[self._known[origination.everything] - 1]
            else:
                node = self.new_node(label)
                self.frames[node.number] = frame
                self.remember(origination, (node.number,), node.number)
            self.mark(frame, node.number)
        return node

    def nameless(self, label: str | None) -> Node:
        """Return the node of something without a frame, the same one for the same label."""
        key = ("nameless", label)
        if key not in self._known:
            node = self.new_node(label)
            node.columns = ()
            self._known[key] = node.number
        return self.nodes[self._known[key] - 1]

    def add_expectations(self, results: list[Expectation], checker: Hashable | None) -> None:
        """Append results; those of the same checker on the same node replace better ones."""
        for position, result in enumerate(results):
            key = (checker, result.node, result.expectation, result.column, position)
            place = None if checker is None else self._checked.get(key)
            if place is None:
                self._checked[key] = len(self.expectations)
                self.expectations.append(result)
            elif _badness(result) >= _badness(self.expectations[place]):
                self.expectations[place] = result

    def same_as(self, origination: Origination, parents: tuple[int, ...]) -> int | None:
        """Return the node that an equal event made before, None if there is none."""
        if origination.place is None:
            return None
        number = self._known.get((origination, parents))
        if number is None and self._is_full(origination):
            number = self._known[origination.everything]
            self._add_parents(number, parents)
        return number

    def _is_full(self, origination: Origination) -> bool:
        return self._at_one_place[origination.everything] >= MOST_AT_ONE_PLACE

    def remember(self, origination: Origination, parents: tuple[int, ...], number: int) -> None:
        """Let later events that are equal to this one be the same."""
        if origination.place is None:
            return
        self._at_one_place[origination.everything] += 1
        # The last one that is told apart stands for all that follow.
        self._known[origination.everything] = number
        self._known[origination, parents] = number

    def parents_of(self, number: int) -> tuple[int, ...]:
        """Return the numbers of the nodes that a node was made from."""
        position = self._event_of.get(number)
        return () if position is None else self.events[position].parents

    def ancestors_of(self, number: int) -> set[int]:
        """Return the numbers of the nodes that a node was made from, and of those before them."""
        found: set[int] = set()
        waiting = [number]
        while waiting:
            new = set(self.parents_of(waiting.pop())) - found
            found |= new
            waiting += new
        return found

    def is_made(self, number: int) -> bool:
        """Whether it is known what a node was made by."""
        return number in self._event_of

    def names_columns(self, number: int) -> bool:
        """Whether Spark may have named columns of a node after their expressions."""
        op = self.events[self._event_of[number]].op
        return op in _NAMING or op.startswith("group_by.")

    def one_for_all(self, nested: tuple[Field, ...]) -> tuple[Field, ...]:
        """Return fields as the one object that all frames which have them share."""
        return self._nested.setdefault(nested, nested)

    def _add_parents(self, number: int, parents: Iterable[int]) -> None:
        position = self._event_of[number]
        event = self.events[position]
        merged = dict.fromkeys((*event.parents, *(p for p in parents if p != number)))
        if len(merged) > len(event.parents):
            self.events[position] = replace(event, parents=tuple(merged))

    def add_event(
        self,
        op: str,
        kind: Kind,
        parents: tuple[int, ...],
        child: int,
        scope: Scope,
        logic: Logic | None = None,
        backend: str = SPARK,
    ) -> None:
        """Append an event, in the open blocks."""
        self.declare(scope)
        self._event_of.setdefault(child, len(self.events))
        self.events.append(
            Event(
                number=len(self.events) + 1,
                op=op,
                kind=kind,
                backend=backend,
                parents=parents,
                child=child,
                groups=scope.groups,
                risks=scope.risks,
                logic=logic,
            )
        )


def _badness(result: Expectation) -> int:
    """Return 0 for a check that holds, 1 for one that could not be evaluated, 2 for a failure."""
    return {True: 0, None: 1, False: 2}[result.success]
