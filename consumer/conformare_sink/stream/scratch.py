"""Messages that wait during a replay: on this machine's disk, and gone when it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime

from conformare_sink.messages.emission import EmissionKey
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
            "CREATE TABLE waiting (key, value, topic, partition, offset, timestamp, "
            "PRIMARY KEY (topic, partition, offset, timestamp)) WITHOUT ROWID"
        )

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        marks = ", ".join("?" * len(MESSAGE_COLUMNS))
        self._file.executemany(
            f"INSERT OR REPLACE INTO waiting VALUES ({marks})",  # noqa: S608 - question marks
            [envelope.message for envelope in envelopes],
        )
        self._file.commit()

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, with their values, in portions and in the order asked."""
        select = f"SELECT * FROM waiting WHERE {_PLACE}"  # noqa: S608 - our own words
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

    def waiting_since(self, moment: datetime) -> list[EmissionKey]:  # noqa: ARG002
        """Return no emissions: a replay sets nothing aside."""
        return []

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""
        self._file.executemany(f"DELETE FROM waiting WHERE {_PLACE}", places)  # noqa: S608 - our own words
        self._file.commit()

    def close(self) -> None:
        """Delete all of it."""
        self._file.close()
