"""How many emissions became what: each counts once, however many batches its messages come in.

Only who has counted all emissions can tell one that comes again from a new one, and a replay may read
a hundred million. So they are on this machine's disk, about 40 bytes each, in the order of their
emission_ids: nearly all of our jobs' are in the order of time, so what is looked up is what was written
last, and memory holds it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from hashlib import md5

from conformare_sink.messages.emission import Decision, EmissionKey

_FIRST_SIGNS = 13
"""Of a UUIDv7, they are its time."""

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

    def add(self, decisions: Mapping[EmissionKey, Decision]) -> None:
        """Count what a batch has decided."""
        emissions: dict[Decision, list[tuple[bytes]]] = defaultdict(list)
        for key, decision in decisions.items():
            if decision is not Decision.WAIT:
                emissions[decision].append((emission_identity(key),))
        for decision, those in emissions.items():
            before = self._file.total_changes
            self._file.executemany("INSERT OR IGNORE INTO counted VALUES (?)", those)
            self.counts[decision] += self._file.total_changes - before
        self._file.commit()

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def emission_identity(key: EmissionKey) -> bytes:
    """Return what an emission is known by on the disk: in the order of its id, and of its own."""
    run_id, pipeline, emission_id = key.run_id, key.pipeline, key.emission_id
    # The lengths keep the three texts apart.
    text = f"{len(run_id)}:{run_id}{len(pipeline)}:{pipeline}{emission_id}"
    digest = md5(text.encode(), usedforsecurity=False).digest()
    return emission_id[:_FIRST_SIGNS].encode() + digest
