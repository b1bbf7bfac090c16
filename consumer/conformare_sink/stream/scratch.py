"""Messages that wait during a replay: on this machine's disk, and gone when it ends."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from conformare_sink.messages.emission import EmissionKey, emission_identity
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import MESSAGE_COLUMNS, Message, Place

MOST_BYTES = 32 * 1024 * 1024
"""Values that come at once."""

_PLACE = "topic = ? AND partition = ? AND offset = ? AND timestamp = ?"


class ScratchMessages:
    """Messages by their place in Kafka, in a temporary file that SQLite keeps and deletes."""

    def __init__(self) -> None:
        # The empty name is a file of its own. Batches come by a thread of Spark's.
        self._file = sqlite3.connect("", check_same_thread=False)
        self._file.execute(
            "CREATE TABLE waiting (key, value, topic, partition, offset, timestamp, emission, "
            "PRIMARY KEY (topic, partition, offset, timestamp)) WITHOUT ROWID"
        )
        self._file.execute("CREATE INDEX of_emission ON waiting (emission)")

    def __len__(self) -> int:
        """Return how many messages wait."""
        found: tuple[int] = self._file.execute("SELECT count(*) FROM waiting").fetchone()
        return found[0]

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        marks = ", ".join("?" * (len(MESSAGE_COLUMNS) + 1))
        self._file.executemany(
            f"INSERT OR REPLACE INTO waiting VALUES ({marks})",  # noqa: S608 - question marks
            [
                (
                    *one.message,
                    emission_identity(EmissionKey(one.pipeline, one.run_id, one.emission_id)),
                )
                for one in envelopes
            ],
        )
        self._file.commit()

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, with their values, in portions and in the order asked."""
        select = f"SELECT {', '.join(MESSAGE_COLUMNS)} FROM waiting WHERE {_PLACE}"  # noqa: S608 - our own words
        portion: list[Message] = []
        n_bytes = 0
        for place in places:
            row = self._file.execute(select, place).fetchone()
            if row is None:
                continue
            portion.append(Message._make(row))
            n_bytes += len(portion[-1].value or b"")
            if n_bytes >= MOST_BYTES:
                yield portion
                portion, n_bytes = [], 0
        yield portion

    def waiting_since(self, moment: datetime) -> list[EmissionKey]:  # noqa: ARG002 - a lake has it
        """Return no emissions: a replay sets nothing aside."""
        return []

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""
        self._file.executemany(f"DELETE FROM waiting WHERE {_PLACE}", places)  # noqa: S608 - our own words
        self._file.commit()

    def forget(self, emissions: Iterable[bytes]) -> None:
        """Delete the messages of emissions that wait no more.

        Args:
            emissions: The `emission_identity` of each.
        """
        if self._file.execute("SELECT 1 FROM waiting LIMIT 1").fetchone():
            those = ((identity,) for identity in emissions)
            self._file.executemany("DELETE FROM waiting WHERE emission = ?", those)
            self._file.commit()

    def offsets(self) -> Mapping[tuple[str, int], Sequence[int]]:
        """Return the offsets of what waits, in order, by topic and partition."""
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        select = "SELECT topic, partition, offset FROM waiting ORDER BY topic, partition, offset"
        for topic, partition, offset in self._file.execute(select):
            found[topic, partition].append(offset)
        return found

    def close(self) -> None:
        """Delete all of it."""
        self._file.close()
