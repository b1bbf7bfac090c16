"""The lake: what it holds, and how runs come into it whole or not at all."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa

from conformare_schemas import CHILD_GRAINS
from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.digests import (
    PLACE_DIGEST,
    RUN_DIGEST,
    place_digest,
    read_digests,
    run_digests,
)
from conformare_sink.lake.halves import DigestArray, Mask
from conformare_sink.lake.kept import fetch_messages, read_waiting, waiting_since
from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.layout import LANDING_NOTES, PURGING_NOTE, SOURCE_NOTE, is_ours
from conformare_sink.lake.leftovers import Leftovers
from conformare_sink.lake.purge import Purge, Purged, finish_purge, purge_runs, purged_among
from conformare_sink.lake.tables.own import (
    PENDING,
    PURGED,
    QUARANTINE,
    pending_rows,
    quarantine_rows,
)
from conformare_sink.lake.tables.tables import (
    TABLES_AT_ONCE,
    LakeTables,
    Offsets,
    select_all,
    select_rows,
)
from conformare_sink.lake.writer.lock import sole_writer
from conformare_sink.messages.emission import EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, Place, message_columns

logger = logging.getLogger("conformare_sink")

RUN_KEY = list(RunKey._fields)


class Settled(NamedTuple):
    """Runs on which there is nothing to decide any more."""

    known: set[RunKey]
    """The lake holds them."""
    purged: set[RunKey]
    """They were deleted from it on purpose."""


class Lake:
    """A lake that is open for landing; made by `open_for_writing`.

    Args:
        tables: Its tables.
        confirm: Raises where another writer has taken the lake over.
        checkpoint: A folder of this machine to keep the known runs in; the user's cache where none
            is given.
    """

    def __init__(
        self,
        tables: LakeTables,
        confirm: Callable[[], None] = lambda: None,
        checkpoint: Path | None = None,
    ) -> None:
        self.tables = tables
        self._confirm = confirm
        self._storage = tables.storage
        self._open = tables.open()
        # All are of writers that cannot commit any more, for the tables are ours now.
        self._unfinished = {
            name for name in self._storage.names() if name.startswith(LANDING_NOTES)
        }
        self._pending = threading.Lock()
        self._leftovers = Leftovers(tables)
        self._others = threading.Lock()
        self._others_wrote = False
        self._read_what_purges_change()
        self._known = KnownRuns(tables, self.lake_id, checkpoint=checkpoint, is_writer=True)

    @property
    def lake_id(self) -> str:
        """The identity of this lake: another one at the same place has another."""
        return self._open["runs"].table_id

    @property
    def address(self) -> str:
        """Where it is."""
        return self._storage.address

    def youngest(self) -> datetime | None:
        """Return when its youngest run was recorded; None for an empty lake."""
        found: datetime | None = select_rows(self.tables, "SELECT max(ts) AS ts FROM runs", "runs")[
            0
        ]["ts"]
        return found

    def settled(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs the lake holds, and which were deleted from it."""
        self._notice_others()
        if self._others_wrote:
            self._others_wrote = False
            self._leftovers.look_again()
        return Settled(self._known.among(runs), purged_among(runs, self._purged))

    def known(self, digests: DigestArray) -> Mask:
        """Return of each of some runs whether the lake holds it; may be asked by any thread.

        Args:
            digests: What `run_digests` returns of them: an array of n by 16 bytes.

        Raises:
            TableReadError: Others have changed `runs`, and it cannot be read.
        """
        self._notice_others()
        return self._known.contain(digests)

    def land(
        self,
        rows: Mapping[str, pa.Table],
        runs: Collection[RunKey],
        read: Offsets | None = None,
    ) -> None:
        """Append runs that the lake does not hold: their children, and when these are there, they.

        A process that ends in between leaves a note behind, by which the next one removes what has
        been appended.

        Args:
            rows: What the tables get, by grain.
            runs: The runs that the rows are of.
            read: How far the topics have been read, once these runs are there.
        """
        # A name of its own: a writer that was taken over from cannot spoil its successor's.
        note = f"{LANDING_NOTES}{uuid4()}.json"
        self._unfinished.add(note)
        self._storage.write(note, json.dumps([*map(list, runs)]).encode())
        if there := self._leftovers.among(rows["runs"]):
            logger.info("removed rows that were there without their run: %s", self._remove(there))
        with ThreadPoolExecutor(len(CHILD_GRAINS), "append") as pool:
            children = [
                pool.submit(self._open[grain].append, rows[grain])
                for grain in CHILD_GRAINS
                if grain in rows
            ]
        for child in children:
            child.result()
        self._open["runs"].append(rows["runs"], read)
        self._known.add(run_digests(runs), self._open["runs"].version)
        self._confirm()
        self._storage.remove(note)
        self._unfinished.discard(note)

    def note_read(self, read: Offsets) -> None:
        """Note how far the topics have been read, where no run landed."""
        self._open["runs"].append(_NOTHING, read)

    def read_to(self, logs: Collection[str]) -> dict[str, int]:
        """Return how far some logs were read: the first offset that was not, of those known."""
        return self._open["runs"].read_to(logs)

    def source(self) -> dict[str, Any] | None:
        """Return what is noted of where the lake's runs come from; None where nothing is."""
        content = self._storage.read(SOURCE_NOTE)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def note_source(self, source: Mapping[str, Any]) -> None:
        """Note where the lake's runs come from."""
        self._storage.write(SOURCE_NOTE, json.dumps(source).encode())

    def delete(self, table: str, keys: pa.Table) -> int:
        """Delete the rows of a table that have one of some keys; return how many there were.

        Raises:
            TableWriteError: Delta refused.
            LakeBusyError: Another writer has taken the lake over.
        """
        n_deleted = self._open[table].delete(keys)
        if table == "runs":
            gone = (keys.column(name).to_pylist() for name in RUN_KEY)
            self._known.remove(run_digests(map(RunKey, *gone)), self._open[table].version)
        return n_deleted

    def append(self, table: str, rows: pa.Table) -> None:
        """Append rows to one of the tables; raises what `delete` raises."""
        self._open[table].append(rows)

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        if envelopes:
            with self._pending:
                self._open[PENDING.name].append(pending_rows(envelopes))

    def waiting(self) -> Iterator[Envelope]:
        """Return the messages that wait, without their values; one that was kept twice, twice."""
        for envelopes in read_waiting(self.tables):
            runs = {RunKey(e.pipeline, e.run_id) for e in envelopes}
            known, purged = self.settled(runs)
            settled = known | purged
            yield from (e for e in envelopes if RunKey(e.pipeline, e.run_id) not in settled)

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that wait, with their values, in portions and in the order asked."""
        return fetch_messages(self.tables, PENDING.name, places)

    def waiting_since(self, moment: datetime) -> list[EmissionKey]:
        """Return the emissions of which nothing has been kept since a moment."""
        return waiting_since(self.tables, moment)

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""
        with self._pending:
            self.delete(PENDING.name, place_keys(places))

    def forget_settled(self) -> int:
        """Delete from `pending` what waits no more, for its run has landed or was purged.

        May be called beside the thread that lands; what that has to add to `pending` waits
        meanwhile.

        Returns:
            How many rows were deleted.
        """
        waiting = select_all(
            self.tables, "SELECT DISTINCT run_id, pipeline FROM pending", PENDING.name
        )
        runs = [RunKey(pipeline, run_id) for run_id, pipeline in zip(*_texts(waiting), strict=True)]
        self._notice_others()
        # Read anew: the landing thread's own set is not to be touched from here.
        purged = read_digests(self.tables, PURGED.name, RUN_DIGEST)
        settled = self._known.among(runs) | purged_among(runs, purged)
        with self._pending:
            return self.delete(PENDING.name, run_keys(settled))

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages that could not be used, but those that are there already.

        Returns:
            How many were not.
        """
        digests = [place_digest(one.message.place) for one in rejected]
        there = self._quarantined.contain(digests)
        new = [one for one, known in zip(rejected, there, strict=True) if not known]
        if new:
            self._open[QUARANTINE.name].append(quarantine_rows(new))
            self._quarantined.add([place_digest(one.message.place) for one in new])
        return len(new)

    def has_quarantined(self) -> bool:
        """Return whether there is anything in quarantine."""
        return len(self._quarantined) > 0

    def release(self, places: Collection[Place]) -> int:
        """Take messages out of quarantine; return how many there were."""
        n_released = self.delete(QUARANTINE.name, place_keys(places))
        self._quarantined = read_digests(self.tables, QUARANTINE.name, PLACE_DIGEST)
        return n_released

    def purge(self, purge: Purge) -> Purged:
        """Delete runs for good; return what was deleted."""
        purged = purge_runs(self.tables, purge, self)
        self._read_what_purges_change()
        return purged

    def compact(self, table: str) -> tuple[int, int]:
        """Compact the small files of a table; return how many there were, and are now."""
        done = self._open[table].compact()
        return done.compacted, done.compacted_into

    def clean(self, table: str, retention_hours: int) -> tuple[int, int]:
        """Delete needless files of a table; return how many, and how many of its log."""
        done = self._open[table].clean(retention_hours)
        return done.deleted, done.log_deleted

    def recover(self) -> dict[str, int]:
        """Remove the rows of landings that broke off, which are rows without their run.

        They are of the writers before this one, or its own. A purge that broke off is finished, too.

        Returns:
            Table → rows that were removed, for tables that had any.
        """
        was_purging = self._storage.read(PURGING_NOTE) is not None
        if not self._unfinished and not was_purging:
            return {}
        # From here on, nobody else's notes are looked at, and nothing comes that is not seen.
        with ThreadPoolExecutor(TABLES_AT_ONCE, "fence") as pool:
            list(pool.map(lambda table: table.fence(), self._open.values()))
        noted = {run for note in self._unfinished for run in self._noted(note)}
        removed = self._remove(noted - self.settled(noted).known)
        for note in self._unfinished:
            self._storage.remove(note)
        self._unfinished.clear()
        if was_purging and finish_purge(self.tables, self):
            self._read_what_purges_change()
            logger.info("finished a purge that had broken off")
        return removed

    def close(self) -> None:
        """Let go of what is kept on this machine, for the next process."""
        self._known.close()

    def _notice_others(self) -> None:
        """Let what others have changed be read before the next answer; any thread may do that."""
        with self._others:  # of two that ask, both are answered after the look
            if self._open["runs"].changed_by_others():
                self._known.look_again()
                self._others_wrote = True

    def _remove(self, runs: Collection[RunKey]) -> dict[str, int]:
        """Delete the children of runs that are not there."""
        if not runs:
            return {}
        keys = run_keys(runs)
        with ThreadPoolExecutor(len(CHILD_GRAINS), "remove") as pool:
            counts = pool.map(lambda grain: self.delete(grain, keys), CHILD_GRAINS)
        return {grain: n for grain, n in zip(CHILD_GRAINS, counts, strict=True) if n}

    def _read_what_purges_change(self) -> None:
        self._purged = read_digests(self.tables, PURGED.name, RUN_DIGEST)
        self._quarantined = read_digests(self.tables, QUARANTINE.name, PLACE_DIGEST)

    def _noted(self, note: str) -> set[RunKey]:
        content = self._storage.read(note)
        try:
            return {RunKey(*run) for run in json.loads(content or b"[]")}
        except (ValueError, TypeError):
            return set()  # its writer ended while it wrote that, so before it appended anything


@contextmanager
def open_for_writing(
    tables: LakeTables, purpose: str, checkpoint: Path | None = None
) -> Iterator[Lake]:
    """Open a lake as its only writer: tables made, what a crash left removed.

    Args:
        tables: The lake's tables.
        purpose: What writes, for another writer that is refused meanwhile.
        checkpoint: A folder of this machine to keep the known runs in; the user's cache where none
            is given.

    Raises:
        LakeRefusedError: The folder holds something else, or its tables are elsewhere.
        LakeBusyError: Another process writes to the lake.
        StorageError: The store refuses.
    """
    storage = tables.storage
    storage.check()
    tables.require_place()
    others = [name for name in storage.names() if not is_ours(name)]
    if others and tables.need_empty_folder() and not tables.exist():
        raise LakeRefusedError(
            f"{storage.root} is not empty and is not a conformare lake; choose an empty or a new folder"
        )
    with (
        sole_writer(storage, purpose) as confirm,
        closing(Lake(tables, confirm, checkpoint)) as lake,
    ):
        if removed := lake.recover():
            logger.info("removed rows that a crash had left without their run: %s", removed)
        yield lake


def run_keys(runs: Collection[RunKey]) -> pa.Table:
    """Return runs as keys of rows."""
    columns = zip(*runs, strict=True) if runs else ((),) * len(RUN_KEY)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=RUN_KEY)


def place_keys(places: Collection[Place]) -> pa.Table:
    """Return places of messages as keys of rows."""
    messages = [Message(None, None, *place) for place in places]
    columns = message_columns(messages)
    return pa.table({name: columns[name] for name in Place._fields})


def _texts(table: pa.Table) -> list[list[str]]:
    return [column.to_pylist() for column in table.columns]


_NOTHING = pa.table({})
