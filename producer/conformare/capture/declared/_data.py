"""Reads and writes that no tracker sees, declared by hand: those of pandas, dbt, a copy command."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from conformare._guard import guard
from conformare.capture._lineage import Place
from conformare.capture._reads_told import tell_read
from conformare.capture._store import store
from conformare.capture.declared._location import canonical_location
from conformare.capture.locations import label_of_path, without_extension
from conformare.capture.source._callsite import site_of, users_frame
from conformare.capture.sql._names import is_name

DECLARED = "declared"
"""What records have as the reader, the writer and the engine of what was declared by hand."""
UNKNOWN_FORMAT = "unknown"

Location = str | os.PathLike[str]


class DeclaredSource:
    """A read declared with `source`. Pass it to `sink` among its `sources`.

    Attributes:
        location: Where the data lies, without credentials.
        columns: Names of its columns, as far as they were given.
    """

    def __init__(self, location: str, columns: tuple[str, ...]) -> None:
        self.location = location
        self.columns = columns

    def __repr__(self) -> str:
        return f"DeclaredSource({self.location!r})"


def source(
    location: Location,
    *,
    format: str = UNKNOWN_FORMAT,  # noqa: A002 - the column's name
    columns: Iterable[str] = (),
) -> DeclaredSource:
    """Declare a read that tracking does not see.

        orders = cf.source("s3://shop/orders.parquet", format="parquet", columns=frame.columns)

    It stands in the record as a captured read does, inside the `describe` and `risk` blocks that are
    open. The same call again, as in a loop, is the same read. With `warn_on_source`, it warns of the
    risks that the location carries. It reads nothing itself.

    Args:
        location: A path from the root, a URL or the name of a table. Credentials are left out. Put
            the table of a database after a "#".
        format: Format of the data, such as parquet.
        columns: Names of the columns, never values.

    Returns:
        What to pass to `sink` among its `sources`.

    Raises:
        ValueError: There is no location, or an argument does not fit.
    """
    place = canonical_location(location)
    declared = DeclaredSource(place, _names(columns))
    format_ = _format(format)
    with guard:
        store.add_source(
            declared,
            location=place,
            format=format_,
            reader=DECLARED,
            label=_label(place, is_file=True),
            place=_site(),
            variant=declared.columns,
            backend=DECLARED,
        )
        tell_read(place)
    return declared


def sink(
    location: Location,
    *,
    format: str = UNKNOWN_FORMAT,  # noqa: A002 - the column's name
    columns: Iterable[str] = (),
    sources: Iterable[DeclaredSource] = (),
) -> None:
    """Declare a write that tracking does not see.

        with cf.risk("privacy.pii_exposure", owner="ana@example.org"):
            cf.sink("warehouse.sales.daily", columns=["day", "revenue"], sources=[orders])

    Call it once the write has succeeded. Risks of open blocks are on the write; risks around its
    sources are upstream of it. Repeating the same call, as in a loop, declares the same write.

    Args:
        location: As for `source`.
        format: Format of the data, such as csv.
        columns: Names of the columns, never values; sensitive ones are counted by their names.
        sources: What it was made from, as returned by `source`.

    Raises:
        ValueError: There is no location, or an argument does not fit.
        TypeError: One of the sources is none.
    """
    place, names, format_ = canonical_location(location), _names(columns), _format(format)
    made_from = [sources] if isinstance(sources, DeclaredSource) else list(sources)
    for one in made_from:
        if not isinstance(one, DeclaredSource):
            raise TypeError(
                f"sources must be what conformare.source returned, not {type(one).__name__}"
            )
    with guard:
        site = _site()
        first, *others = [store.node_for(one) for one in made_from] or [store.node_for(None)]
        store.add_sink(
            first,
            upstream=others,
            location=place,
            format=format_,
            writer=DECLARED,
            label=_label(place, is_file=False),
            op="sink",
            columns=lambda: names,
            place=site,
            variant=names,
            backend=DECLARED,
        )


def _names(columns: Iterable[str]) -> tuple[str, ...]:
    """Return names of columns; the record hides what is no name in them.

    Raises:
        ValueError: They are no names; what they are is not shown, for it may be data.
    """
    found = () if isinstance(columns, (str, bytes)) else tuple(columns)
    if isinstance(columns, (str, bytes)) or not all(isinstance(name, str) for name in found):
        raise ValueError("columns must be names of columns, such as frame.columns")
    return tuple(dict.fromkeys(found))


def _format(format_: str) -> str:
    if not isinstance(format_, str) or not is_name(format_):
        raise ValueError("format must be a word such as parquet")
    return format_.strip().lower()


def _label(location: str, *, is_file: bool) -> str:
    if is_name(location):
        return location.rpartition(".")[2]
    label = label_of_path(location)
    return without_extension(label) if is_file else label


def _site() -> Place | None:
    frame = users_frame(sys._getframe())  # noqa: SLF001 - nothing else tells who calls
    return None if frame is None else site_of(frame)
