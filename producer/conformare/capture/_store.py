"""The store: what was captured in this process, distinct frame by distinct frame."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from conformare._process_lock import ProcessLock
from conformare.capture._asked import OfFrame
from conformare.capture._content import SPARK, Content, Origination
from conformare.capture._lineage import (
    ColumnsOf,
    DataNamed,
    Event,
    Expectation,
    Introduced,
    Logic,
    LookUp,
    MadeNames,
    Node,
    Place,
    Sink,
    Snapshot,
    Source,
)
from conformare.capture._look_ups import columns_of, placed, resolve, resolve_all, widen
from conformare.capture._scope import Declared, Group, Scope, current_scope
from conformare.capture._untracked import untracked


class Store:
    """Holds what was captured; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._content = Content()
        self.process_description: str | None = None
        self.process_risks: tuple[Declared, ...] = ()

    def clear(self) -> None:
        """Forget every step, source, sink, context, risk and result.

        Blocks that are open go on, and what `describe_process` and `mark_sensitive` have said
        about the process stays.
        """
        with self._lock:
            self._content = Content()

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

    @property
    def cols(self) -> dict[int, tuple[str, ...]]:
        """Node → column names; asks Spark for the schemas that nobody has asked for yet."""
        with self._lock:
            self.resolve_all()
            nodes = self._content.nodes
            return {node.number: columns_of(nodes, node).names for node in nodes}

    def label(self, number: int) -> str:
        """Return the name to show for a node.

        Args:
            number: Number of the node, as `node_id` returns it.

        Raises:
            LookupError: There is no such node.
        """
        with self._lock:
            if not 1 <= number <= len(self._content.nodes):
                raise LookupError(f"the store has no node {number}")
            return self._content.nodes[number - 1].label

    def declare(self, scope: Scope) -> None:
        """Take note of the groups and risks of blocks that have been entered."""
        with self._lock:
            self._content.declare(scope)

    def node_of(self, frame: Any) -> Node | None:
        """Return the node of a frame, None if the frame has not been seen."""
        with self._lock:
            return self._content.node_of(frame)

    def node_for(self, frame: Any, label: str | None = None) -> int:
        """Return the number of a frame's node; one that has not been seen gets a node.

        Args:
            frame: A frame, or None for something without a frame.
            label: Name to show for a new node.
        """
        with self._lock:
            content = self._content
            if frame is None or not hasattr(frame, "__dict__"):
                return content.nameless(label).number
            return content.root(frame, label, None).number

    def stand_for(self, frame: Any, number: int) -> None:
        """Let a frame that Spark has made by itself be one of a node's.

        Args:
            frame: The frame, such as a micro-batch.
            number: Number of the node, such as that of the stream.
        """
        with self._lock:
            self._content.mark(frame, number)

    def name_view(self, name: str, number: int | None) -> None:
        """Take note of what a view of the session stands for.

        Args:
            name: Name of the view.
            number: Number of the node behind it; None when the view is gone.
        """
        with self._lock:
            if number is None:
                self._content.views.pop(name.lower(), None)
            else:
                self._content.views[name.lower()] = number

    @property
    def views(self) -> dict[str, int]:
        """Name of a view, in lower case → number of the node behind it."""
        with self._lock:
            return dict(self._content.views)

    def add_step(
        self,
        op: str,
        parents: Iterable[Any],
        child: Any,
        *,
        upstream: Iterable[int] = (),
        logic: Logic | None = None,
        label: str | None = None,
        receiver: str | None = None,
        same_columns: bool = False,
        introduces: Introduced | None = None,
        data_named: DataNamed | None = None,
        made_names: MadeNames | None = None,
        place: Place | None = None,
        variant: Hashable = None,
    ) -> int | None:
        """Take note of a step that made a frame out of others.

        Args:
            op: Name of the operation.
            parents: Frames that it was made from, the one that the method belongs to first.
            child: Frame that it made, None if there is no such object.
            upstream: Numbers of more nodes that it was made from.
            logic: Normalised text of the authored arguments.
            label: Variable that the frame is assigned to, if the source shows it.
            receiver: Name of the first parent in the source; its label if it is new here.
            same_columns: Whether the frame has the columns of the first parent.
            introduces: What it may have beyond the columns of its parents, None if only the frame
                knows.
            data_named: Which of its columns values of rows have named.
            made_names: Asks for the names that Spark has made, where there is no child.
            place: Where the call stands.
            variant: What else tells it from other calls at this place.

        Returns:
            Number of the node of the child, None when the step made nothing new.
        """
        with self._lock:
            content, scope = self._content, current_scope()
            if child is not None and content.node_of(child) is not None:
                return None
            nodes = []
            for frame in parents:
                nodes.append(content.root(frame, receiver, place))
                receiver = None
            numbers = (*(node.number for node in nodes), *upstream)
            what = ("step", op, repr(logic), scope.groups, scope.risks, variant)
            origination = Origination(place, what)
            number = content.same_as(origination, numbers)
            if number is None:
                first = content.nodes[numbers[0] - 1] if numbers else None
                node = content.new_node(label, first)
                number = node.number
                node.introduces, node.data_named = introduces, data_named
                if same_columns and first is not None:
                    node.columns_of = first.number
                elif child is None:
                    node.columns = ()
                    if made_names is not None:
                        content.made_names[number] = made_names
                else:
                    content.frames[number] = child
                content.add_event(op, "op", numbers, number, scope, logic)
                content.remember(origination, numbers, number)
            if child is not None:
                content.mark(child, number)
            return number

    def add_source(
        self,
        frame: Any,
        *,
        location: str,
        format: str,  # noqa: A002 - the column's name
        reader: str,
        label: str | None = None,
        look_up: LookUp | None = None,
        place: Place | None = None,
        variant: Hashable = None,
        backend: str = SPARK,
    ) -> int:
        """Take note of a read.

        Args:
            frame: Frame that was read, or the number of a node where there is no frame.
            location: What was read, without credentials, unless `look_up` knows better.
            format: Format of the data, unless `look_up` knows better.
            reader: Interface that it was read through.
            label: Name to show for the frame.
            look_up: Asks for location and format, if this is a new read.
            place: Where the call stands.
            variant: What else tells it from other reads at this place.
            backend: Engine that has read.

        Returns:
            Number of the node of the frame.
        """
        with self._lock:
            content, scope = self._content, current_scope()
            known = content.nodes[frame - 1] if isinstance(frame, int) else content.node_of(frame)
            what = ("source", reader, location, format, scope.groups, scope.risks, variant)
            origination = Origination(place, (*what, known.number if known else None))
            number = content.same_as(origination, ())
            if number is None:
                node = known or content.new_node(label)
                number = node.number
                if known is None:
                    content.frames[number] = frame
                content.sources.append(placed(Source(number, location, format, reader), look_up))
                content.add_event(reader, "source", (), number, scope, backend=backend)
                content.remember(origination, (), number)
            if known is None:
                content.mark(frame, number)
            return number

    def add_sink(
        self,
        frame: Any,
        *,
        location: str,
        format: str,  # noqa: A002 - the column's name
        writer: str,
        label: str,
        op: str,
        columns: ColumnsOf | None = None,
        look_up: LookUp | None = None,
        place: Place | None = None,
        upstream: Iterable[int] = (),
        variant: Hashable = None,
        backend: str = SPARK,
    ) -> int:
        """Take note of a write that has succeeded.

        Args:
            frame: Frame that was written, or the number of a node where there is no frame.
            location: Where to, without credentials.
            format: Format of the data, unless `look_up` knows better.
            writer: Interface that it was written through.
            label: Name to show for the sink.
            op: Name of the operation.
            columns: Asks for the columns that were written, those of the frame unless given.
            look_up: Asks for the format, if this is a new write.
            place: Where the call stands.
            upstream: Numbers of more nodes that it was made from.
            variant: What else tells it from other writes at this place.
            backend: Engine that has written.

        Returns:
            Number of the node of the sink.
        """
        with self._lock:
            content, scope = self._content, current_scope()
            written = frame if isinstance(frame, int) else content.root(frame, None, place).number
            if columns is None:
                columns = OfFrame(frame)
            parents = (written, *upstream)
            what = ("sink", op, location, format, writer, scope.groups, scope.risks, variant)
            origination = Origination(place, what)
            number = content.same_as(origination, parents)
            if number is None:
                node = content.new_node(label)
                number, position = node.number, len(content.sinks)
                content.written[position] = columns
                sink = Sink(number, written, location, format, writer)
                content.sinks.append(placed(sink, look_up))
                content.add_event(op, "sink", parents, number, scope, backend=backend)
                content.remember(origination, parents, number)
            elif not isinstance(frame, int):
                with untracked():
                    widen(content, number, columns)
            return number

    def add_expectations(
        self, results: Iterable[Expectation], checker: Hashable | None = None
    ) -> None:
        """Take note of results of checks; of a check that is repeated, the worst one stays.

        Args:
            results: The results.
            checker: What has checked; None where nothing is a repetition.
        """
        with self._lock:
            self._content.add_expectations(list(results), checker)

    def resolve(self) -> None:
        """Look up what a record needs and only Spark knows; each thing is asked once."""
        with self._lock, untracked():
            resolve(self._content)

    def let_go(self) -> None:
        """Look up what a record needs, and hold no frame any longer: the session ends."""
        with self._lock:
            self.resolve()
            self._content.frames.clear()

    def resolve_all(self) -> None:
        """Look up everything that only Spark knows: afterwards no frame is held any longer."""
        with self._lock, untracked():
            resolve_all(self._content)

    def snapshot(self) -> Snapshot:
        """Return the content as it is now, with everything looked up that a record needs."""
        with self._lock:
            self.resolve()
            content = self._content
            return Snapshot(
                # Copies, for a node may learn its columns later; `replace` takes twice as long.
                nodes=tuple([Node(**vars(node)) for node in content.nodes]),
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
    """Return the distinct steps, reads and writes captured so far, oldest first."""
    return store.events


def node_id(frame: Any) -> int | None:
    """Return the number of a frame's node, None if the frame has not been seen.

    Args:
        frame: A data frame.
    """
    node = store.node_of(frame)
    return None if node is None else node.number
