"""A lake from end to end: its store lets us in, its tables can be written, and who writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

from conformare_schemas.findings import Finding, Role
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.lakes.probe import CLOCK, PART, try_to_write
from conformare_sink.doctor.lakes.tables import UPKEEP, judge, judge_upkeep, look_at_all
from conformare_sink.doctor.names import named
from conformare_sink.errors import StorageError
from conformare_sink.lake.layout import is_ours
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.catalog.note import in_a_catalog, read_note
from conformare_sink.lake.writer.look import Writer, writer_of

ANSWER_SECONDS = 2.0
"""A store that does not answer is asked four times, and that is to be told within the time of a check."""

WRITER = "writer of the lake"


def look(asked: SinkAsked) -> Iterator[Finding]:
    """Look at the lake; only for a sink is something written, and deleted again."""
    if asked.lake is None:
        for part in (PART, CLOCK, WRITER, UPKEEP):
            yield Finding.unchecked(part, "no lake is named: give --lake")
        return
    storage = Storage(asked.lake, asked.storage.plain())
    try:
        storage.check(ANSWER_SECONDS)
    except StorageError as exc:
        yield Finding.mend(PART, str(exc))
        for part in (CLOCK, WRITER, UPKEEP):
            yield Finding.unchecked(part, "the lake's store lets nobody in: mend that first")
        return
    if storage.local is None or storage.local.exists():
        yield Finding.good(PART, f"{asked.lake} can be listed and read")
    if asked.role is Role.SINK:
        yield from try_to_write(storage)
    else:
        yield Finding.unchecked(CLOCK, "only a sink writes an object, by whose time it is told")
    yield from _contents(asked, storage)


def _contents(asked: SinkAsked, storage: Storage) -> Iterator[Finding]:
    noted = read_note(storage)
    if noted is not None:
        yield Finding.unchecked(PART, f"{in_a_catalog(storage.root, noted)} to `conformare status`")
    # The store's clock is that of this machine, or the line above says that it is not.
    writer = writer_of(storage, datetime.now(timezone.utc))
    yield _told(storage, writer)
    if noted is not None:
        return
    tables = look_at_all(storage)
    if not any(table.is_there for table in tables):
        yield _new_lake(storage)
        return
    yield from judge(tables)
    yield from judge_upkeep(asked, tables, writer)


def _new_lake(storage: Storage) -> Finding:
    others = [name for name in storage.names() if not is_ours(name)]
    if others:
        return Finding.mend(
            PART,
            f"{storage.root} has {named(others)} and no table of ours, so the sink does not make its "
            "lake there: name an empty or a new folder",
        )
    return Finding.unchecked(PART, f"there is no lake at {storage.root} yet: the sink makes it")


def _told(storage: Storage, writer: Writer | None) -> Finding:
    if writer is None:
        return Finding.good(WRITER, f"nobody writes to {storage.root}")
    if writer.is_alive:
        return Finding.good(WRITER, f"{storage.root} is being written by {writer.name}")
    return Finding.advice(
        WRITER,
        f"{writer.name} has ended without giving {storage.root} back: the next writer takes over by "
        "itself, 20 seconds later",
    )
