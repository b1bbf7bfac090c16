"""What a page consists of: plain values that views make of answers, and templates draw."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, overload


@dataclass(frozen=True)
class Mark:
    """One run in a strip."""

    health: str
    title: str
    href: str | None = None


@dataclass(frozen=True)
class Acknowledgement:
    """What the form names that acknowledges a drift."""

    pipeline: str
    run_id: str
    context_label: str

    @property
    def identity(self) -> str:
        """The same for the same drift, on a page that changes while somebody writes."""
        named = f"{self.pipeline}\x1f{self.run_id}\x1f{self.context_label}"
        return hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class Cell:
    """One value in a table.

    Attributes:
        text: What it says; CSV has this alone.
        href: Where it leads.
        badge: The health, severity or state that it names: drawn with a shape of its own.
        time: The time that it names.
        note: What is told beside it, more quietly.
        parts: Several values, each drawn by itself; `text` says them all.
        strip: Runs, oldest first; `text` says them all.
        code: Whether it is an identifier or a path.
        form: Of a drift that can be acknowledged.
    """

    text: str
    href: str | None = None
    badge: str = ""
    time: datetime | None = None
    note: str = ""
    parts: tuple[Cell, ...] = ()
    strip: tuple[Mark, ...] = ()
    code: bool = False
    form: Acknowledgement | None = None


@dataclass(frozen=True)
class Column:
    """The head of a column.

    Attributes:
        is_minor: Left out where the window is narrow.
        is_number: Set flush right.
        note_title: What CSV calls the notes of its cells, as a column of their own.
    """

    title: str
    is_minor: bool = False
    is_number: bool = False
    note_title: str = ""


class LazyRows(Sequence[tuple[Cell, ...]]):
    """Rows of a table that are made when they are wanted: a page shows few of many.

    Args:
        answers: What the rows are made of.
        row: Makes a row of one of them.
    """

    def __init__(self, answers: Sequence[Any], row: Callable[[Any], tuple[Cell, ...]]) -> None:
        self._answers = answers
        self._row = row

    @overload
    def __getitem__(self, at: int) -> tuple[Cell, ...]: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[Cell, ...]]: ...

    def __getitem__(self, at: int | slice) -> tuple[Cell, ...] | Sequence[tuple[Cell, ...]]:
        """Return a row, or some."""
        if isinstance(at, slice):
            return [self._row(answer) for answer in self._answers[at]]
        return self._row(self._answers[at])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._answers)


@dataclass(frozen=True)
class Table:
    """A table, on the page and as CSV.

    Attributes:
        name: What a URL calls it.
        note: What it leaves out, or how to read it.
        empty: What is said in its place where it has no rows.
        all_rows: What CSV has, where the page shows a part.
        csv: Where it can be had as CSV.
        more: A link below it.
        legend: Whether the shapes of a strip are explained above it.
        stacks: Whether its rows become cards on a narrow screen.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    note: str = ""
    empty: str = "None."
    all_rows: Sequence[tuple[Cell, ...]] | None = None
    csv: str | None = None
    more: tuple[Cell, ...] = ()
    legend: bool = False
    stacks: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    caption: str
    facts: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Count:
    """How many things there are of one kind."""

    number: int
    label: str
    badge: str
    href: str | None
    is_current: bool = False


@dataclass(frozen=True)
class Counts:
    """A row of counts."""

    kind: ClassVar[str] = "counts"
    caption: str
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class HeatMap:
    """How each expectation stood in each run, the oldest run first."""

    kind: ClassVar[str] = "heatmap"
    caption: str
    runs: tuple[Mark, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    note: str = ""


@dataclass(frozen=True)
class Lane:
    """The spans of one context: x and width in per mille of the time that is shown."""

    label: str
    spans: tuple[tuple[int, int, str, str], ...]


@dataclass(frozen=True)
class Lanes:
    """When the fingerprints of contexts changed."""

    kind: ClassVar[str] = "lanes"
    caption: str
    lanes: tuple[Lane, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Chart:
    """Time series, for a script to draw; the table beside it says the same.

    Attributes:
        times: Seconds since 1970, in order.
        series: Name → one value for each time.
    """

    kind: ClassVar[str] = "chart"
    caption: str
    times: tuple[float, ...]
    series: Mapping[str, tuple[float | None, ...]]

    @property
    def data(self) -> dict[str, Any]:
        """What the script is given."""
        return {"times": self.times, "names": [*self.series], "values": [*self.series.values()]}


@dataclass(frozen=True)
class Graph:
    """Pipelines and places, for a script to draw; the table beside it says the same."""

    kind: ClassVar[str] = "graph"
    caption: str
    nodes: tuple[Mapping[str, Any], ...]
    edges: tuple[Mapping[str, Any], ...]
    note: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """What the script is given."""
        return {"nodes": self.nodes, "edges": self.edges}


@dataclass(frozen=True)
class Text:
    """A paragraph; cells are its links."""

    kind: ClassVar[str] = "text"
    text: str
    links: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class Field:
    """One field of a form that asks for a page.

    Attributes:
        choices: What may be chosen; the first says that nothing is.
        hints: What is usually typed.
    """

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    hints: tuple[str, ...] = ()
    input_type: str = "text"


@dataclass(frozen=True)
class Form:
    """A form whose answer is this page again, at another URL."""

    kind: ClassVar[str] = "form"
    caption: str
    action: str
    fields: tuple[Field, ...]
    hidden: tuple[tuple[str, str], ...] = ()


Section = Table | Facts | Counts | HeatMap | Lanes | Chart | Graph | Text | Form


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        name: Which of the pages it is.
        title: Its heading.
        lead: One or two sentences below the heading.
        anchor: What a report calls it.
    """

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...]
    badge: str = ""
    anchor: str = ""
    crumbs: tuple[Cell, ...] = field(default=())

    @property
    def tables(self) -> list[Table]:
        """Its tables, which CSV is made of."""
        return [section for section in self.sections if isinstance(section, Table)]
