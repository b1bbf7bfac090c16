"""The parts that a capture is made of: frames, steps, reads, writes, results of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from conformare.capture._data_names import NOTHING, Hidden, Stand
from conformare.capture._scope import Declared, Group

Kind = Literal["op", "function", "source", "sink"]
Logic = Mapping[str, Any]
MEMORY = "(memory)"
"""Location of what was made of values of the process."""
Place = tuple[str, str, int, int]
"""Where a call stands in the user's code: file, function, its first line, instruction."""


class Field(NamedTuple):
    """A field inside a column.

    Attributes:
        path: Where it is, as Spark writes it, from the column down.
        names: Those of the column and of the fields on the way, its own name last.
    """

    path: str
    names: tuple[str, ...]


class Columns(NamedTuple):
    """What a schema says.

    Attributes:
        names: Names of the columns.
        nested: The fields inside them.
    """

    names: tuple[str, ...] = ()
    nested: tuple[Field, ...] = ()


class Introduced(NamedTuple):
    """What a step says about columns beyond those of the frames that its result was made from.

    Attributes:
        names: Names that the result may have beyond theirs.
        moves: Whether a column of theirs may be under another name, and so the fields inside it
            elsewhere. Other fields than theirs the result has not.
    """

    names: tuple[str, ...]
    moves: bool = False


@dataclass(frozen=True)
class DataNamed:
    """Columns that values of rows have named, as `pivot` makes them.

    Attributes:
        shown: What is shown in place of them all, such as `pivot(country)`.
        first: How many columns stand before them.
    """

    shown: str
    first: int


@dataclass
class Node:
    """One distinct frame, or one sink.

    Attributes:
        number: Position among the nodes of the store, from 1.
        label: Name to show: the variable, or the place in a chain of calls.
        base: Label of the nearest frame with a name of its own.
        depth: Steps from that frame in an unnamed chain.
        columns: Column names, None as long as nobody has asked for them.
        nested: Fields inside its columns, as far as anybody has asked for them.
        columns_of: Number of the node that has the same columns, if that is known.
        introduces: What it may have beyond the columns of the frames that it was made from, None
            where only the frame itself knows.
        data_named: Which of its columns values of rows have named, None if there are none.
        made_names: Names of its columns that hold data, once they have been asked for, with what
            is shown instead; they never leave the process.
        hidden: These, and those of the nodes that it was made from.
    """

    number: int
    label: str
    base: str
    depth: int = 0
    columns: tuple[str, ...] | None = None
    nested: tuple[Field, ...] = ()
    columns_of: int | None = None
    introduces: Introduced | None = None
    data_named: DataNamed | None = None
    made_names: Mapping[str, Stand] = field(default_factory=dict, repr=False)
    hidden: Hidden = field(default=NOTHING, repr=False)


@dataclass(frozen=True)
class Event:
    """One distinct step, read or write; however often it is repeated, it is one.

    Attributes:
        number: Position among the events of the store, from 1.
        op: Name of the operation, such as `filter` or `group_by.agg`.
        kind: op, function, source or sink.
        backend: Engine that it runs on.
        parents: Numbers of the nodes that it was made from, twice where one is used twice.
        child: Number of the node that it made.
        groups: Open groups, outermost first.
        risks: Open risks, outermost first.
        logic: Normalised text of the authored arguments; never leaves the process as it is, not in a text of the
            event either.
    """

    number: int
    op: str
    kind: Kind
    backend: str
    parents: tuple[int, ...]
    child: int
    groups: tuple[Group, ...]
    risks: tuple[Declared, ...]
    logic: Logic | None = field(default=None, repr=False)

    @property
    def group(self) -> Group | None:
        """The innermost open group."""
        return self.groups[-1] if self.groups else None


@dataclass(frozen=True)
class Origin:
    """What only Spark knows about a place.

    Attributes:
        location: Where it lies; None where what stood in is right.
        format: Format of the data; None where what stood in is right.
    """

    location: str | None = None
    format: str | None = None


LookUp = Callable[[], Origin]
"""Asks Spark at the call, once for each distinct read or write; it runs no job."""
ColumnsOf = Callable[[], Iterable[Any]]
"""Asks Spark for the columns of what was written: the fields of its schema, or names alone."""
MadeNames = Callable[[], Mapping[str, str]]
"""Asks for names that Spark has made of expressions with literals, and what is shown instead."""


@dataclass(frozen=True)
class Source:
    """One read."""

    node: int
    location: str
    format: str
    reader: str


@dataclass(frozen=True)
class Sink:
    """One write.

    Attributes:
        node: Number of its own node.
        frame: Number of the node that was written.
        location: Where to, without credentials.
        format: Format of the data.
        writer: Interface that it was written through.
        columns: Names of the columns that were written, None as long as nobody has asked.
        nested: The fields inside them.
    """

    node: int
    frame: int
    location: str
    format: str
    writer: str
    columns: tuple[str, ...] | None = None
    nested: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """One result of a Great Expectations check."""

    node: int
    expectation: str
    column: str | None
    success: bool | None
    hard: bool
    severity: str
    observed: str | None = None
    error: str | None = None
    missing_column: bool = False


@dataclass(frozen=True)
class Snapshot:
    """The content of a store at one moment; numbers of nodes are positions plus one."""

    nodes: tuple[Node, ...]
    events: tuple[Event, ...]
    sources: tuple[Source, ...]
    sinks: tuple[Sink, ...]
    expectations: tuple[Expectation, ...]
    groups: Mapping[Group, tuple[Declared, ...]]
    risks: tuple[Declared, ...]
    process_risks: tuple[Declared, ...]
