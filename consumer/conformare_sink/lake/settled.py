"""On which runs there is nothing to decide any more: the lake holds them, or they were purged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from conformare_sink.lake.digests import RUN_DIGEST, read_digests, run_digests
from conformare_sink.lake.halves import DigestArray, halves_of
from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.leftovers import runs_of
from conformare_sink.lake.purge import purged_among, purged_declarations
from conformare_sink.lake.tables.own import PURGED
from conformare_sink.lake.tables.tables import LakeTables, Table
from conformare_sink.messages.emission import RunKey
from conformare_sink.messages.skipping import Settled


class SettledRuns:
    """What a lake's writer knows of its runs.

    Args:
        tables: The lake's tables.
        runs: The table `runs`, open for writing.
        on_others: Called in the thread that lands when somebody else has changed `runs`.
        checkpoint: A folder of this machine to keep the known runs in; the user's cache where none
            is given.
    """

    def __init__(
        self,
        tables: LakeTables,
        runs: Table,
        on_others: Callable[[], None],
        checkpoint: Path | None,
    ) -> None:
        self._tables = tables
        self._runs = runs
        self._on_others = on_others
        self._others = threading.Lock()
        self._others_wrote = False
        self.read_purged()
        self.known = KnownRuns(tables, runs.table_id, checkpoint=checkpoint, is_writer=True)

    def among(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs the lake holds, and which were deleted from it."""
        self._look_again()
        return Settled(self.known.among(runs), purged_among(runs, self._purged))

    def among_digests(self, digests: DigestArray) -> tuple[set[bytes], set[bytes]]:
        """Return the same of runs by their `run_digest`; of those with `ANY_PIPELINE`, too."""
        self._look_again()
        known = self.known.contain(digests)
        purged = self._purged.contain_halves(halves_of(digests))
        return set(map(bytes, digests[known])), set(map(bytes, digests[purged]))

    def purged_declarations(self, emission_ids: Collection[str]) -> set[str]:
        """Return which of some declarations were deleted on purpose."""
        return purged_declarations(emission_ids, self._purged)

    def has_purged(self) -> bool:
        """Return whether any run was ever purged."""
        return len(self._purged) > 0

    def beside_landing(self, runs: Collection[RunKey]) -> set[RunKey]:
        """Return which of some runs are settled; may be asked beside the thread that lands."""
        self._notice_others()
        # Read anew: the landing thread's own set is not to be touched from here.
        purged = read_digests(self._tables, PURGED.name, RUN_DIGEST)
        return self.known.among(runs) | purged_among(runs, purged)

    @contextmanager
    def landing(self, digests: DigestArray) -> Iterator[None]:
        """Know runs once they have landed; where that breaks off, the table is asked which did.

        Args:
            digests: What `run_digests` returns of the runs that land while the block runs.
        """
        try:
            yield
        except BaseException:
            self.known.look_again()
            raise
        self.known.add(digests, self._runs.told_version)

    def deleted(self, keys: pa.Table) -> None:
        """Take note of runs that this writer has deleted."""
        self.known.remove(run_digests(runs_of(keys)), self._runs.told_version)

    def read_purged(self) -> None:
        """Take note of what has been purged."""
        self._purged = read_digests(self._tables, PURGED.name, RUN_DIGEST)

    def close(self) -> None:
        """Keep the known runs for the next process."""
        self.known.close()

    def _look_again(self) -> None:
        self._notice_others()
        if self._others_wrote:
            self._others_wrote = False
            self._on_others()

    def _notice_others(self) -> None:
        """Let what others have changed be read before the next answer, in whichever thread."""
        with self._others:  # of two that ask, both are answered after the look
            has_changed = True  # where that cannot be told
            try:
                has_changed = self._runs.changed_by_others()
            finally:
                if has_changed:
                    self.known.look_again()
                    self._others_wrote = True
