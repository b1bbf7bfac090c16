"""How many emissions became what: each counts once, however many batches its messages come in.

Only who has counted all emissions can tell one that comes again from a new one, and a replay may read
a hundred million. So they are on this machine's disk, about 40 bytes each, in the order of their
emission_ids: nearly all of our jobs' are in the order of time, so what is looked up is what was written
last, and memory holds it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping

from conformare_sink.messages.emission import Decision

_CACHE_KIB = 16 * 1024


class Tally:
    """Counts every emission once, in a temporary file that SQLite keeps and deletes.

    Attributes:
        counts: Emissions by what became of them; those that wait have not become anything yet.
    """

    def __init__(self) -> None:
        self.counts: Counter[Decision] = Counter()
        # The empty name is a file of its own. Batches come by a thread of Spark's.
        self._file = sqlite3.connect("", check_same_thread=False)
        self._file.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._file.execute("PRAGMA journal_mode = OFF")  # it ends with the process
        self._file.execute("CREATE TABLE counted (emission BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, decided: Mapping[Decision, Collection[bytes]]) -> None:
        """Count what a batch has decided.

        Args:
            decided: `emission_identity` of emissions, by what became of them.
        """
        for decision, those in decided.items():
            before = self._file.total_changes
            self._file.executemany(
                "INSERT OR IGNORE INTO counted VALUES (?)", ((one,) for one in those)
            )
            self.counts[decision] += self._file.total_changes - before
        self._file.commit()

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
