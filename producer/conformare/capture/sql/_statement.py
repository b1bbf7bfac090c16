"""What a statement of SQL does, whoever has found it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformare.capture._lineage import ColumnsOf
from conformare.capture.sql._names import Place, files

FormatOf = Callable[[], str | None]
"""Asks Spark for a format; it runs no job."""


@dataclass(frozen=True)
class Read:
    """A table or files that are read.

    Attributes:
        place: Where it is.
        format_of: Asks for its format.
        behind: Asks for the tables behind it, where it may be a view.
    """

    place: Place
    format_of: FormatOf
    behind: Callable[[], list[Read]] | None = None

    def tables(self) -> list[Read]:
        """Return the tables behind a view, itself if it is none."""
        return [self] if self.behind is None else self.behind()


def read_of_files(path: str, format_: str) -> Read:
    """Return files whose format is known.

    Args:
        path: Where they lie.
        format_: Their format.
    """
    place = files(path, format_)
    return Read(place, lambda: place.format)


@dataclass(frozen=True)
class Target:
    """A table or files that are changed.

    Attributes:
        place: Where it is.
        operation: insert, merge, update, delete, create, replace, truncate, load or restore.
        format_of: Asks for its format.
        columns_of: Asks for the columns that were written.
    """

    place: Place
    operation: str
    format_of: FormatOf
    columns_of: ColumnsOf


@dataclass
class Statement:
    """What a statement does.

    Attributes:
        reads: What it reads, by location.
        targets: What it changes.
        links: Nodes of the views that it reads, which stand for frames of this process.
        made: Key of the view that it makes.
        dropped: Key of a view that it drops, or gives a content that is no frame's.
        is_query: Whether it returns rows that it has made of others.
        plans: What Spark has made of its queries, where it hands that out.
    """

    reads: dict[str, Read] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    links: dict[int, None] = field(default_factory=dict)
    made: str | None = None
    dropped: str | None = None
    is_query: bool = True
    plans: list[Any] = field(default_factory=list)

    def add_read(self, read: Read) -> None:
        """Take note of something that is read."""
        self.reads.setdefault(read.place.location, read)

    @property
    def names_something(self) -> bool:
        """Whether it names a table, files or a view."""
        return bool(self.reads or self.targets or self.links)

    @property
    def is_empty(self) -> bool:
        """Whether it neither reads nor changes data, nor makes a view: SHOW, SET, CREATE TABLE."""
        return not (self.is_query or self.targets or self.made)
