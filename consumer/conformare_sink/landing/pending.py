"""What waits for the rest of its emission: in memory what decisions need, in the lake the values.

A message that has waited stays in the lake until maintenance, and means something only as long as
its run is not known. So a batch that is landed again can add a message a second time and never a
wrong one: what is kept is a set.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from conformare_sink.messages.emission import EmissionKey, RunKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import Message, Place

MOST_VALUE_BYTES = 32 * 1024 * 1024
"""Values of the latest messages are kept: the rest of most emissions comes with the next batch."""

_NO_ROWS = -1
_NO_TIME = 0


class _Kept(NamedTuple):
    """What decisions need of a message that waits; a quarter of what its envelope takes."""

    grain: str
    n_rows: int
    first_row: int
    row_counts: Mapping[str, int] | None
    topic: str
    partition: int
    offset: int
    timestamp: int

    @property
    def place(self) -> Place:
        """Where the message is in Kafka."""
        return Place(self.topic, self.partition, self.offset, self.timestamp)


class PendingMessages:
    """The messages of incomplete emissions.

    Args:
        kept: Messages that wait in the lake, without their values.
    """

    def __init__(self, kept: Iterable[Envelope] = ()) -> None:
        self._waiting: dict[RunKey, dict[str, list[_Kept]]] = {}
        self._n_emissions = 0
        self._texts: dict[str, str] = {}
        self._values: OrderedDict[Place, bytes] = OrderedDict()
        self._value_bytes = 0
        for envelope in kept:
            run = RunKey(self._once(envelope.pipeline), envelope.run_id)
            self._of(run, envelope.emission_id).append(self._light(envelope))

    @property
    def emissions(self) -> int:
        """How many emissions wait."""
        return self._n_emissions

    def runs(self) -> Collection[RunKey]:
        """Return the runs of which anything waits."""
        return self._waiting.keys()

    def has(self, run: RunKey) -> bool:
        """Return whether anything of a run waits."""
        return run in self._waiting

    def of(self, key: EmissionKey) -> list[Envelope]:
        """Return what waits of an emission, without values; it waits on."""
        found = self._waiting.get(key.run, {}).get(key.emission_id, ())
        return [_envelope(key, kept) for kept in found]

    def values(self, places: Iterable[Place]) -> Iterator[tuple[Place, bytes]]:
        """Return the values of those messages whose value is still in memory."""
        for place in places:
            if (value := self._values.get(place)) is not None:
                yield place, value

    def new(self, key: EmissionKey, envelopes: Collection[Envelope]) -> list[Envelope]:
        """Return those messages of an emission that do not wait yet."""
        there = {kept.place for kept in self._waiting.get(key.run, {}).get(key.emission_id, ())}
        return [one for one in envelopes if one.at >= 0 and one.message.place not in there]

    def wait(self, key: EmissionKey, envelopes: Collection[Envelope]) -> None:
        """Let these messages of an emission wait, in place of those that did."""
        waiting = self._of(key.run, key.emission_id)
        now = {envelope.message.place for envelope in envelopes}
        self._drop_values(kept.place for kept in waiting if kept.place not in now)
        waiting[:] = [self._light(envelope) for envelope in envelopes]
        for envelope in envelopes:
            if envelope.message.value is not None:
                self._keep_value(envelope.message.place, envelope.message.value)

    def forget(self, key: EmissionKey) -> None:
        """Let nothing of an emission wait any more."""
        emissions = self._waiting.get(key.run, {})
        if (gone := emissions.pop(key.emission_id, None)) is not None:
            self._n_emissions -= 1
            self._drop_values(kept.place for kept in gone)
        if not emissions:
            self._waiting.pop(key.run, None)

    def settle(self, run: RunKey) -> list[EmissionKey]:
        """Let nothing of a run wait any more, as it is decided; return the emissions that did."""
        keys = [EmissionKey(*run, emission_id) for emission_id in self._waiting.get(run, ())]
        for key in keys:
            self.forget(key)
        return keys

    def _of(self, run: RunKey, emission_id: str) -> list[_Kept]:
        """Return what waits of an emission, to be changed."""
        emissions = self._waiting.setdefault(run, {})
        if emission_id not in emissions:
            emissions[emission_id] = []
            self._n_emissions += 1
        return emissions[emission_id]

    def _light(self, envelope: Envelope) -> _Kept:
        place = envelope.message.place
        return _Kept(
            self._once(envelope.grain),
            envelope.n_rows,
            envelope.first_row,
            envelope.row_counts,
            self._once(place.topic),
            place.partition,
            place.offset,
            place.timestamp,
        )

    def _once(self, text: str) -> str:
        """Return the one object that all equal texts share; there are few of these."""
        return self._texts.setdefault(text, text)

    def _keep_value(self, place: Place, value: bytes) -> None:
        self._drop_values([place])
        self._values[place] = value
        self._value_bytes += len(value)
        while self._value_bytes > MOST_VALUE_BYTES:
            _, oldest = self._values.popitem(last=False)
            self._value_bytes -= len(oldest)

    def _drop_values(self, places: Iterable[Place]) -> None:
        for place in places:
            self._value_bytes -= len(self._values.pop(place, b""))


def _envelope(key: EmissionKey, kept: _Kept) -> Envelope:
    return Envelope(
        message=Message(key.run_id.encode(), None, *kept.place),
        grain=kept.grain,
        n_rows=kept.n_rows,
        at=_NO_ROWS,
        run_id=key.run_id,
        pipeline=key.pipeline,
        ts=_NO_TIME,
        emission_id=key.emission_id,
        first_row=kept.first_row,
        row_counts=kept.row_counts,
    )
