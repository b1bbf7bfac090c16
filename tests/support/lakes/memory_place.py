"""A place to land that is no lake: what it keeps outlives who lands in it, and it can break off."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from conformare_schemas import CHILD_GRAINS, SOURCE_RISKS
from conformare_sink.messages.emission import Decision, EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope, Rejected
from conformare_sink.messages.message import Message, Place
from conformare_sink.messages.skipping import Settled


class BrokenOffError(Exception):
    """The process that lands has ended in the middle."""


class MemoryPlace:
    """Remembers what a lake would keep, with the same order of commits.

    Attributes:
        rows: The rows of every grain.
        read: How far the topics were read.
        waiting: What waits, by place, and when it was kept last.
        rejected: What is in quarantine, by place.
        purged: Runs that were deleted on purpose.
        portion: How many messages come back at once.
        steps_left: After so many commits the process ends.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.read: dict[str, int] = {}
        self.waiting: dict[Place, tuple[Envelope, datetime]] = {}
        self.rejected: dict[Place, Rejected] = {}
        self.purged: set[RunKey] = set()
        self.portion = 2
        self.steps_left: int | None = None
        self.fetched: list[Place] = []
        self._landing: set[RunKey] = set()

    @property
    def runs(self) -> set[RunKey]:
        """The runs that readers see."""
        return {RunKey(row["pipeline"], row["run_id"]) for row in self.rows.get("runs", ())}

    def recover(self) -> None:
        """Remove the rows of runs that were being landed when the process ended."""
        self.steps_left = None
        gone = self._landing - self.runs
        for grain in CHILD_GRAINS:
            rows = self.rows.get(grain, [])
            rows[:] = [row for row in rows if (row["pipeline"], row["run_id"]) not in gone]
        self._landing = set()

    def still_waiting(self) -> Iterator[Envelope]:
        """Return what waits as the next process learns of it: without values."""
        for envelope, _ in self.waiting.values():
            if RunKey(envelope.pipeline, envelope.run_id) not in self.runs | self.purged:
                light = envelope.message._replace(value=None)
                yield replace(envelope, message=light, at=-1)

    def settled(self, runs: Collection[RunKey]) -> Settled:
        """Return which of some runs are there, and which were deleted on purpose."""
        return Settled(self.runs.intersection(runs), self.purged.intersection(runs))

    def land(
        self,
        rows: Mapping[str, pa.Table],
        runs: Collection[RunKey],
        read: Mapping[str, int] | None = None,
    ) -> None:
        """Append the children, then the runs together with what was read."""
        assert not self.runs.intersection(runs)
        self._landing |= set(runs)
        for grain in CHILD_GRAINS:
            if grain in rows:
                self._step()
                self._append(grain, rows)
        self._step()
        self._append("runs", rows)
        self.read |= read or {}

    def note_read(self, read: Mapping[str, int]) -> None:
        """Note what was read."""
        self._step()
        self.read |= read

    def declare(self, rows: pa.Table) -> dict[str, Decision]:
        """Append declarations that are not there, all in one commit."""
        there = {row["emission_id"] for row in self.rows.get(SOURCE_RISKS, ())}
        found = rows.to_pylist()
        decided = {
            row["emission_id"]: Decision.REPEAT if row["emission_id"] in there else Decision.LAND
            for row in found
        }
        if Decision.LAND in decided.values():
            self._step()
            new = [row for row in found if row["emission_id"] not in there]
            self.rows.setdefault(SOURCE_RISKS, []).extend(new)
        return decided

    def quarantine(self, rejected: Sequence[Rejected]) -> int:
        """Keep messages that could not be used; return how many were not there yet."""
        new = [one for one in rejected if one.message.place not in self.rejected]
        if new:
            self._step()
            self.rejected |= {one.message.place: one for one in new}
        return len(new)

    def keep_waiting(self, envelopes: Collection[Envelope]) -> None:
        """Keep messages whose emission is not complete."""
        if envelopes:
            self._step()
            now = datetime.now(timezone.utc)
            assert all(envelope.message.value is not None for envelope in envelopes)
            self.waiting |= {one.message.place: (one, now) for one in envelopes}

    def waiting_messages(self, places: Collection[Place]) -> Iterator[list[Message]]:
        """Return messages that were kept, a few at once."""
        self.fetched += places
        there = [place for place in places if place in self.waiting]
        for start in range(0, len(there), self.portion):
            some = there[start : start + self.portion]
            yield [self.waiting[place][0].message for place in some]

    def waiting_since(self, moment: datetime) -> list[EmissionKey]:
        """Return the emissions of which nothing has been kept since a moment."""
        newest: dict[EmissionKey, datetime] = {}
        for one, kept_at in self.waiting.values():
            key = EmissionKey(one.pipeline, one.run_id, one.emission_id)
            newest[key] = max(kept_at, newest.get(key, kept_at))
        return [key for key, kept_at in newest.items() if kept_at < moment]

    def stop_waiting(self, places: Collection[Place]) -> None:
        """Delete messages from those that wait."""
        self._step()
        for place in places:
            self.waiting.pop(place, None)

    def _append(self, grain: str, rows: Mapping[str, pa.Table]) -> None:
        self.rows.setdefault(grain, []).extend(rows[grain].to_pylist(maps_as_pydicts="strict"))

    def _step(self) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                raise BrokenOffError
            self.steps_left -= 1
