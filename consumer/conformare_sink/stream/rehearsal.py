"""Where a replay lands: in the lake, or in the rehearsal of one, to which nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from conformare_schemas import SOURCE_RISKS
from conformare_sink.lake.declarations import decide_declarations
from conformare_sink.lake.digests import (
    EMISSION_DIGEST,
    PLACE_DIGEST,
    RUN_DIGEST,
    DigestSet,
    emission_digest,
    place_digest,
    read_digests,
    run_digest,
    runs_in,
)
from conformare_sink.lake.halves import DigestArray
from conformare_sink.lake.kept.pending import envelopes_of
from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.landings import Files
from conformare_sink.lake.purge import purged_among, purged_declarations
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.own import PENDING, PURGED, QUARANTINE
from conformare_sink.lake.tables.tables import LakeTables, Offsets, require_lake
from conformare_sink.landing.place import LandingPlace
from conformare_sink.messages.emission import Decision, RunKey
from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.skipping import Settled
from conformare_sink.stream.scratch import ScratchMessages


@contextmanager
def destination(
    tables: LakeTables, scratch: ScratchMessages, *, dry_run: bool
) -> Iterator[LandingPlace]:
    """Open what a replay lands in, for as long as the block takes.

    Args:
        tables: The lake's tables.
        scratch: What waits during the replay.
        dry_run: Whether nothing is to be written to them.

    Raises:
        LakeBusyError: A sink is writing to the lake.
        LakeRefusedError: The lake's folder holds something else.
        NoLakeError: A dry run was asked for where there is no lake.
    """
    if dry_run:
        require_lake(tables)
        with closing(KnownRuns(tables, tables.lake_id(), is_writer=False)) as known:
            yield Rehearsal(tables, known, scratch)
        return
    with open_for_writing(tables, "a replay") as lake:
        yield ReplayedLake(lake, scratch)


class ReplayedLake:
    """A lake to which a replay adds whole runs and unusable messages, and nothing that waits.

    Args:
        lake: The lake.
        scratch: What waits during the replay.
    """

    def __init__(self, lake: Lake, scratch: ScratchMessages) -> None:
        self._lake = lake
        self._scratch = scratch
        self.settled = lake.settled
        self.land = lake.land
        self.declare = lake.declare
        self.note_read = lake.note_read
        self.quarantine = lake.quarantine
        self.keep_waiting = scratch.keep_waiting
        self.waiting_messages = scratch.waiting_messages
        self.waiting_since = scratch.waiting_since
        self.stop_waiting = scratch.stop_waiting

    @property
    def arrivals(self) -> Storage:
        """Where rows come as files, in one folder a table."""
        return self._lake.arrivals

    def takes_files(self) -> bool:
        """Return whether rows may come as files, which others have written."""
        return self._lake.takes_files()

    def has_purged(self) -> bool:
        """Return whether any run was ever deleted on purpose."""
        return self._lake.has_purged()

    def settled_digests(self, digests: DigestArray) -> tuple[set[bytes], set[bytes]]:
        """Return which of some digests are of runs that are there, and which of purged ones."""
        return self._lake.settled_digests(digests)

    def land_files(self, files: Files, digests: bytes, read: Offsets | None = None) -> None:
        """Add the rows of some runs."""
        self._lake.land_files(files, digests, read)

    def quarantine_files(self, files: Files, digests: Sequence[bytes]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""
        return self._lake.quarantine_files(files, digests)

    def keep_waiting_files(self, files: Files) -> None:
        """Keep messages whose emission is not complete; their files do not stay in the lake."""
        for file in files.get(PENDING.name, ()):
            path = f"{PENDING.name}/{file.path}"
            rows = pq.read_table(pa.BufferReader(self.arrivals.read(path)))
            self._scratch.keep_waiting(envelopes_of(rows))
            self.arrivals.remove(path)


class Rehearsal:
    """A lake to which nothing is written: what would land is remembered.

    Args:
        tables: Those of the real one, read only.
        known: The runs that are there.
        scratch: What waits during the replay.
    """

    def __init__(self, tables: LakeTables, known: KnownRuns, scratch: ScratchMessages) -> None:
        self._known = known
        self._landed = DigestSet()
        # A lake that only jobs have written to has no other tables.
        self._purged, self._quarantined, self._declared = (
            read_digests(tables, table, digest) if tables.exist(table) else DigestSet()
            for table, digest in (
                (PURGED.name, RUN_DIGEST),
                (QUARANTINE.name, PLACE_DIGEST),
                (SOURCE_RISKS, EMISSION_DIGEST),
            )
        )
        self.keep_waiting = scratch.keep_waiting
        self.waiting_messages = scratch.waiting_messages
        self.waiting_since = scratch.waiting_since
        self.stop_waiting = scratch.stop_waiting

    def settled(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs are in the lake or would be by now, and which were purged."""
        known = self._known.among(runs) | runs_in(self._landed, runs)
        return Settled(known, purged_among(runs, self._purged))

    def land(
        self,
        rows: Mapping[str, pa.Table],  # noqa: ARG002 - only which runs would land matters
        runs: Collection[RunKey],
        read: Mapping[str, int] | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """Remember the runs."""
        self._landed.add([*map(run_digest, runs)])

    def declare(self, rows: pa.Table) -> dict[str, Decision]:
        """Remember declarations that would land; return what would become of each."""
        decided = decide_declarations(
            rows, self._declared, lambda ids: purged_declarations(ids, self._purged)
        )
        new = [one for one, decision in decided.items() if decision is Decision.LAND]
        self._declared.add([*map(emission_digest, new)])
        return decided

    def note_read(self, read: Mapping[str, int]) -> None:
        """Note nothing."""

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep nothing; return how many would be kept."""
        digests = list(dict.fromkeys(place_digest(one.message.place) for one in rejected))
        there = self._quarantined.contain(digests)
        new = [digest for digest, known in zip(digests, there, strict=True) if not known]
        self._quarantined.add(new)
        return len(new)
