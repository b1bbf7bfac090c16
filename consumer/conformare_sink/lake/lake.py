"""The lake: what it holds, and how runs come into it whole or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from conformare_schemas import RUN_GRAINS, SOURCE_RISKS
from conformare_sink.errors import LakeRefusedError, TableAlteredError
from conformare_sink.lake.declarations import Declarations
from conformare_sink.lake.digests import run_digests
from conformare_sink.lake.halves import DigestArray, array_of
from conformare_sink.lake.kept.messages import fetch_messages
from conformare_sink.lake.kept.pending import PendingTable
from conformare_sink.lake.kept.quarantine import QuarantineTable
from conformare_sink.lake.landings import Files, Landings
from conformare_sink.lake.layout import PURGING_NOTE, SOURCE_NOTE, is_ours
from conformare_sink.lake.purge import Purge, Purged, finish_purge, purge_runs
from conformare_sink.lake.settled import SettledRuns
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.own import PENDING, QUARANTINE
from conformare_sink.lake.tables.tables import (
    TABLES_AT_ONCE,
    LakeTables,
    Offsets,
    select_rows,
)
from conformare_sink.lake.writer.lock import sole_writer
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, Place
from conformare_sink.messages.skipping import Settled

logger = logging.getLogger("conformare_sink")


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
        self._landings = Landings(tables, self._open, confirm)
        self._pending = PendingTable(tables, self._open[PENDING.name])
        self._quarantine = QuarantineTable(tables, self._open[QUARANTINE.name])
        self._settled = SettledRuns(
            tables, self._open["runs"], self._landings.look_again, checkpoint
        )
        self._declarations = Declarations(
            tables, self._open[SOURCE_RISKS], self._settled.purged_declarations
        )

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
        return self._settled.among(runs)

    def has_purged(self) -> bool:
        """Return whether any run was ever deleted on purpose."""
        return self._settled.has_purged()

    def settled_digests(self, digests: DigestArray) -> tuple[set[bytes], set[bytes]]:
        """Return which of some digests are of runs that the lake holds, and which of purged ones.

        Args:
            digests: `run_digest` of runs, of those with `ANY_PIPELINE` too.
        """
        return self._settled.among_digests(digests)

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
        with self._settled.landing(run_digests(runs)):
            try:
                self._landings.land(rows, runs, read)
            except TableAlteredError:
                self.recover()
                self._landings.land(rows, runs, read)

    def declare(self, rows: pa.Table) -> dict[str, Decision]:
        """Append declarations that are not there; return what became of each, by emission_id."""
        return self._declarations.append(rows)

    @property
    def arrivals(self) -> Storage:
        """Where rows come as files, in one folder a table."""
        return self.tables.arrivals

    def land_files(self, files: Files, digests: bytes, read: Offsets | None = None) -> None:
        """Add the rows of files that lie among the `arrivals`, as `land` appends rows.

        Args:
            files: The files by table; of those of grains, all rows of a run are in them.
            digests: `run_digest` of each run, one after the other.
            read: How far the topics have been read, once these runs are there.
        """
        with self._settled.landing(array_of([digests])):
            self._landings.land_files({g: files[g] for g in RUN_GRAINS if files.get(g)}, read)

    def keep_waiting_files(self, files: Files) -> None:
        """Keep files of messages whose emission is not complete.

        Args:
            files: The files by table; those of grains are not looked at.
        """
        self._pending.add_files(files.get(PENDING.name, ()))

    def quarantine_files(self, files: Files, digests: Sequence[bytes]) -> int:
        """Keep files of messages that could not be used, but messages that are there already.

        Args:
            files: The files by table; those of grains are not looked at.
            digests: `place_digest` of each message.

        Returns:
            How many were not.
        """
        return self._quarantine.add_files(files.get(QUARANTINE.name, ()), digests)

    def takes_files(self) -> bool:
        """Return whether rows may come as files, which others have written."""
        kept = (self._pending, self._quarantine)
        return self._landings.take_files() and all(table.takes_files for table in kept)

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
            self._settled.deleted(keys)
        return n_deleted

    def append(self, table: str, rows: pa.Table) -> None:
        """Append rows to one of the tables; raises what `delete` raises."""
        self._open[table].append(rows)

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        self._pending.add(envelopes)

    def waiting(self) -> Iterator[Envelope]:
        """Return the messages that wait, without their values; one that was kept twice, twice."""
        for envelopes in self._pending.read():
            runs = {RunKey(e.pipeline, e.run_id) for e in envelopes}
            known, purged = self.settled(runs)
            settled = known | purged
            yield from (e for e in envelopes if RunKey(e.pipeline, e.run_id) not in settled)

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that wait, with their values, in portions and in the order asked."""
        return fetch_messages(self.tables, PENDING.name, places)

    def waiting_since(self, moment: datetime) -> list[EmissionKey]:
        """Return the emissions of which nothing has been kept since a moment."""
        return self._pending.emissions_since(moment)

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""
        self._pending.delete(places)

    def forget_settled(self) -> int:
        """Delete from `pending` what waits no more, for its run has landed or was purged.

        May be called beside the thread that lands; what that has to add to `pending` waits
        meanwhile.

        Returns:
            How many rows were deleted.
        """
        return self._pending.delete_runs(self._settled.beside_landing(self._pending.runs()))

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages that could not be used, but those that are there already.

        Returns:
            How many were not.
        """
        return self._quarantine.add(rejected)

    def has_quarantined(self) -> bool:
        """Return whether there is anything in quarantine."""
        return len(self._quarantine) > 0

    def requarantine(self, rejected: Sequence[Rejected], causes: Collection[str]) -> None:
        """Give messages in quarantine another cause; where the process ends in between, both.

        Args:
            rejected: The messages, with their new causes.
            causes: Those that they may have had, of which none is a new one.
        """
        self._quarantine.replace_causes(rejected, causes)

    def release(self, places: Collection[Place]) -> int:
        """Take messages out of quarantine; return how many there were."""
        return self._quarantine.delete(places)

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
        if self._landings.are_finished and not was_purging:
            return {}
        # From here on, nobody else's notes are looked at, and nothing comes that is not seen.
        with ThreadPoolExecutor(TABLES_AT_ONCE, "fence") as pool:
            list(pool.map(lambda table: table.fence(), self._open.values()))
        removed = self._landings.undo(lambda runs: self.settled(runs).known)
        if was_purging and finish_purge(self.tables, self):
            self._read_what_purges_change()
            logger.info("finished a purge that had broken off")
        return removed

    def close(self) -> None:
        """Let go of what is kept on this machine, for the next process."""
        self._settled.close()

    def _read_what_purges_change(self) -> None:
        self._settled.read_purged()
        self._declarations.look_again()
        self._quarantine.look_again()


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


_NOTHING = pa.table({})
