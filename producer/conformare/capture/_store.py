"""What has been captured, in the order of its appearance."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from conformare._guard import guard
from conformare.capture._lineage import (
    Event,
    Expectation,
    Kind,
    Logic,
    Node,
    Origin,
    Sink,
    Snapshot,
    Source,
)
from conformare.capture._scope import Declared, Group, Scope, current_scope
from conformare.capture._untracked import untracked

NODE_KEY = "__conformare_node__"
"""Where a frame carries the identity of its node: in its `__dict__`, never as an attribute."""


@dataclass
class _Content:
    """Everything that `clear` throws away."""

    nodes: list[Node] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    groups: dict[Group, dict[Declared, None]] = field(default_factory=dict)
    risks: dict[Declared, None] = field(default_factory=dict)
    # Frames whose columns nobody has asked for yet, by number of node. A frame held here keeps
    # its plan alive on the driver; `resolve` and `clear` let go of it.
    frames: dict[int, Any] = field(default_factory=dict)
    origins: dict[int, Origin] = field(default_factory=dict)


class Store:
    """Holds what was captured; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._content = _Content()
        self.process_description: str | None = None
        self.process_risks: tuple[Declared, ...] = ()

    def clear(self) -> None:
        """Forget every step, source, sink, context, risk and result.

        Blocks that are open go on, and what `describe_process` and `mark_sensitive` have said
        about the process stays.
        """
        with self._lock:
            self._content = _Content()

    def reset_declarations(self) -> None:
        """Forget contexts, declared risks and what was said about the process."""
        with self._lock:
            self._content.groups.clear()
            self._content.risks.clear()
            self.process_description = None
            self.process_risks = ()

    @property
    def events(self) -> list[Event]:
        """The captured steps, reads and writes, oldest first."""
        with self._lock:
            return list(self._content.events)

    @property
    def sources(self) -> list[Source]:
        """The captured reads, oldest first."""
        with self._lock:
            return list(self._content.sources)

    @property
    def sinks(self) -> list[Sink]:
        """The captured writes, oldest first."""
        with self._lock:
            return list(self._content.sinks)

    @property
    def groups(self) -> list[Group]:
        """The instances of `describe()` that were entered, in the order of the first entering."""
        with self._lock:
            return list(self._content.groups)

    def declare(self, scope: Scope) -> None:
        """Take note of the groups and risks of blocks that have been entered."""
        with self._lock:
            self._declare(self._content, scope)

    @staticmethod
    def _declare(content: _Content, scope: Scope) -> None:
        for group in scope.groups:
            content.groups.setdefault(group, {})
        for risk in scope.risks:
            content.risks.setdefault(risk)
            if scope.groups:
                content.groups[scope.groups[-1]].setdefault(risk)

    def node_of(self, frame: Any) -> Node | None:
        """Return the node of a frame, None if the frame has not been seen."""
        with self._lock:
            return self._known(self._content, frame)

    @staticmethod
    def _known(content: _Content, frame: Any) -> Node | None:
        # The content's own identity tells nodes of before a `clear` from those of after it.
        mark: tuple[list[Node], int] | None = frame.__dict__.get(NODE_KEY)
        if mark is None or mark[0] is not content.nodes:
            return None
        return content.nodes[mark[1] - 1]

    def _new_node(self, content: _Content, label: str | None, parent: Node | None) -> Node:
        number = len(content.nodes) + 1
        if label is not None:
            node = Node(number, label, label)
        elif parent is not None:
            depth = parent.depth + 1
            node = Node(number, f"{parent.base}.c{depth}", parent.base, depth)
        else:
            node = Node(number, f"<df{number}>", f"<df{number}>")
        content.nodes.append(node)
        return node

    def _node_of_frame(
        self,
        content: _Content,
        frame: Any,
        label: str | None = None,
        parent: Node | None = None,
        *,
        same_columns: bool = False,
    ) -> Node:
        node = self._known(content, frame)
        if node is not None:
            return node
        node = self._new_node(content, label, parent)
        frame.__dict__[NODE_KEY] = (content.nodes, node.number)
        if same_columns and parent is not None:
            node.columns_of = parent.number
        else:
            content.frames[node.number] = frame
        return node

    def _append_event(
        self,
        content: _Content,
        op: str,
        kind: Kind,
        parents: Iterable[int],
        child: int,
        logic: Logic | None = None,
    ) -> None:
        scope = current_scope()
        self._declare(content, scope)
        content.events.append(
            Event(
                number=len(content.events) + 1,
                op=op,
                kind=kind,
                backend="spark",
                parents=tuple(parents),
                child=child,
                groups=scope.groups,
                risks=scope.risks,
                logic=logic,
            )
        )

    def add_step(
        self,
        op: str,
        parents: Iterable[Any],
        child: Any,
        *,
        logic: Logic | None = None,
        label: str | None = None,
        receiver: str | None = None,
        same_columns: bool = False,
    ) -> int | None:
        """Take note of a step that made a frame out of others.

        Args:
            op: Name of the operation.
            parents: Frames that it was made from, the one that the method belongs to first.
            child: Frame that it made.
            logic: Normalised text of the authored arguments.
            label: Variable that the frame is assigned to, if the source shows it.
            receiver: Name of the first parent in the source; its label if it is new here.
            same_columns: Whether the frame has the columns of the first parent.

        Returns:
            Number of the node of the child, None when the step made nothing new.
        """
        with self._lock:
            content = self._content
            if self._known(content, child) is not None:
                return None
            nodes = []
            for frame in parents:
                nodes.append(self._node_of_frame(content, frame, receiver))
                receiver = None
            first = nodes[0] if nodes else None
            node = self._node_of_frame(content, child, label, first, same_columns=same_columns)
            numbers = dict.fromkeys(parent.number for parent in nodes)
            self._append_event(content, op, "op", numbers, node.number, logic)
            return node.number

    def add_source(
        self,
        frame: Any,
        *,
        location: str,
        format: str,  # noqa: A002 - the column's name
        reader: str,
        label: str | None = None,
        origin: Origin | None = None,
    ) -> int:
        """Take note of a read.

        Args:
            frame: Frame that was read.
            location: What was read, without credentials; stands in until `origin` knows better.
            format: Format of the data; stands in until `origin` knows better.
            reader: Interface that it was read through.
            label: Name to show for the frame.
            origin: Looks up location and format once a record is built.

        Returns:
            Number of the node of the frame.
        """
        with self._lock:
            content = self._content
            node = self._node_of_frame(content, frame, label)
            if origin is not None:
                content.origins[len(content.sources)] = origin
            content.sources.append(Source(node.number, location, format, reader))
            self._append_event(content, reader, "source", (), node.number)
            return node.number

    def add_sink(
        self,
        frame: Any,
        *,
        location: str,
        format: str,  # noqa: A002 - the column's name
        writer: str,
        label: str,
        op: str,
    ) -> int:
        """Take note of a write that has succeeded.

        Args:
            frame: Frame that was written.
            location: Where to, without credentials.
            format: Format of the data.
            writer: Interface that it was written through.
            label: Name to show for the sink.
            op: Name of the operation.

        Returns:
            Number of the node of the sink.
        """
        with self._lock:
            content = self._content
            written = self._node_of_frame(content, frame)
            node = self._new_node(content, label, None)
            node.columns_of = written.number
            content.sinks.append(Sink(node.number, written.number, location, format, writer))
            self._append_event(content, op, "sink", (written.number,), node.number)
            return node.number

    def add_expectations(self, results: Iterable[Expectation]) -> None:
        """Take note of results of checks."""
        with self._lock:
            self._content.expectations.extend(results)

    def resolve(self) -> None:
        """Look up what only the frames know and let go of them; each is asked once.

        Asks Spark for schemas and plans, never for a job.
        """
        with self._lock, untracked():
            content = self._content
            for index, origin in content.origins.items():
                with guard:
                    location, format_ = origin()
                    known = content.sources[index]
                    content.sources[index] = replace(known, location=location, format=format_)
            content.origins.clear()
            for node in content.nodes:
                if node.columns is not None:
                    continue
                node.columns = ()
                if node.columns_of is not None:
                    node.columns = content.nodes[node.columns_of - 1].columns
                elif node.number in content.frames:
                    with guard:
                        node.columns = tuple(content.frames[node.number].columns)
            content.frames.clear()

    def snapshot(self) -> Snapshot:
        """Return the content as it is now, with everything looked up."""
        with self._lock:
            self.resolve()
            content = self._content
            return Snapshot(
                nodes=tuple(replace(node) for node in content.nodes),
                events=tuple(content.events),
                sources=tuple(content.sources),
                sinks=tuple(content.sinks),
                expectations=tuple(content.expectations),
                groups={group: tuple(risks) for group, risks in content.groups.items()},
                risks=tuple(content.risks),
                process_risks=self.process_risks,
            )


store = Store()
"""The store that the whole process captures into."""


def lineage() -> list[Event]:
    """Return the steps, reads and writes captured so far, oldest first."""
    return store.events
