"""The table `quarantine`: messages that could not be used, each once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa

from conformare_sink.lake.digests import PLACE_DIGEST, place_digest, read_digests
from conformare_sink.lake.kept.messages import place_keys
from conformare_sink.lake.kept.quarantined import places_with_other_causes
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.lake.tables.own import QUARANTINE, quarantine_rows, rejected_in
from conformare_sink.lake.tables.tables import LakeTables, Table
from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.message import Place


class QuarantineTable:
    """The messages in quarantine, and the digests of their places in memory.

    Args:
        tables: The lake's tables.
        table: `quarantine`, open for writing.
    """

    def __init__(self, tables: LakeTables, table: Table) -> None:
        self._tables = tables
        self._table = table
        self.look_again()

    @property
    def takes_files(self) -> bool:
        """Whether rows may come as files."""
        return self._table.takes_files

    def __len__(self) -> int:
        return len(self._there)

    def look_again(self) -> None:
        """Take note of what is in the table."""
        self._there = read_digests(self._tables, QUARANTINE.name, PLACE_DIGEST)

    def add(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages, but those that are there already; return how many were not."""
        digests = [place_digest(one.message.place) for one in rejected]
        there = self._there.contain(digests)
        new = [one for one, known in zip(rejected, there, strict=True) if not known]
        if new:
            self._table.append(quarantine_rows(new))
            self._there.add([place_digest(one.message.place) for one in new])
        return len(new)

    def add_files(self, files: Sequence[DataFile], digests: Sequence[bytes]) -> int:
        """Keep messages that are in files, but those that are there already.

        Args:
            files: The files, which lie among the lake's `arrivals`.
            digests: `place_digest` of each message.

        Returns:
            How many were not.
        """
        if not any(self._there.contain(digests)):
            if files:
                self._table.add(files)
                self._there.add(digests)
            return len(digests)
        arrivals = self._tables.arrivals
        return sum(
            self.add(rejected_in(rows))
            for file in files
            if (rows := arrivals.read(f"{QUARANTINE.name}/{file.path}"))
        )

    def replace_causes(self, rejected: Sequence[Rejected], causes: Collection[str]) -> None:
        """Give messages another cause; where the process ends in between, they have both.

        Args:
            rejected: The messages, with their new causes.
            causes: Those that they may have had, of which none is a new one.
        """
        if rejected:
            places = [one.message.place for one in rejected]
            done = places_with_other_causes(self._tables, places, causes)
            if new := [one for one in rejected if one.message.place not in done]:
                self._table.append(quarantine_rows(new))
            keys = place_keys(places)
            for cause in causes:
                before = pa.array([cause] * keys.num_rows, pa.string())
                self._table.delete(keys.append_column("cause", before))

    def delete(self, places: Collection[Place]) -> int:
        """Delete messages by their places in Kafka; return how many there were."""
        n_deleted = self._table.delete(place_keys(places))
        self.look_again()
        return n_deleted
