"""What waits for the rest of its emission: in memory what decisions need, in the lake the values.

A message that has waited stays in the lake until maintenance, and means something only as long as
its run is not known. So executing a batch again can add a message a second time and never a wrong
one: what is kept is a set.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import Message, Place

MOST_VALUE_BYTES = 32 * 1024 * 1024
"""Values of the latest messages are kept: the rest of most emissions comes with the next batch."""

_NO_ROWS = -1


class PendingMessages:
    """The messages of incomplete emissions, by their run_id, which is their Kafka key.

    Args:
        kept: Messages that wait in the lake, without their values.
    """

    def __init__(self, kept: Iterable[Envelope] = ()) -> None:
        self._waiting: dict[str, dict[Place, Envelope]] = {}
        self._emissions: Counter[EmissionKey] = Counter()
        self._taken: dict[Place, Envelope] = {}
        self._values: OrderedDict[Place, bytes] = OrderedDict()
        self._value_bytes = 0
        for envelope in kept:
            self._add(envelope)

    @property
    def emissions(self) -> int:
        """How many emissions wait."""
        return len(self._emissions)

    def take(self, run_ids: Collection[str]) -> list[Envelope]:
        """Return all that has waited for some runs, without values; it waits no more."""
        self._taken = {}
        for run_id in run_ids:
            self._taken.update(self._waiting.pop(run_id, {}))
        self._uncount(list(self._taken.values()))
        return list(self._taken.values())

    def wait(self, envelopes: Collection[Envelope]) -> list[Envelope]:
        """Let the messages of incomplete emissions wait; return those that are new to it."""
        for envelope in envelopes:
            self._add(envelope)
        return [e for e in envelopes if e.message.place not in self._taken]

    def values(self, places: Collection[Place]) -> Iterator[Message]:
        """Return those messages that were taken and whose values are still in memory."""
        for place in places:
            if (value := self._values.pop(place, None)) is not None:
                self._value_bytes -= len(value)
                yield self._taken[place].message._replace(value=value)

    def older_than(self, moment: int) -> list[list[Envelope]]:
        """Return the emissions whose last message came before a moment, in microseconds since 1970."""
        by_emission: dict[EmissionKey, list[Envelope]] = {}
        for those in self._waiting.values():
            for envelope in those.values():
                by_emission.setdefault(_key(envelope), []).append(envelope)
        return [
            envelopes
            for envelopes in by_emission.values()
            if max(e.message.timestamp for e in envelopes) < moment
        ]

    def forget(self, envelopes: Collection[Envelope]) -> None:
        """Let messages wait no more."""
        for envelope in envelopes:
            those = self._waiting.get(envelope.run_id, {})
            if those.pop(envelope.message.place, None) is not None:
                self._uncount([envelope])
            if not those:
                self._waiting.pop(envelope.run_id, None)

    def _add(self, envelope: Envelope) -> None:
        message = envelope.message
        place = message.place
        if message.value is not None:
            self._keep_value(place, message.value)
            light = message._replace(value=None)
            envelope = replace(envelope, message=light, at=_NO_ROWS)
        those = self._waiting.setdefault(envelope.run_id, {})
        if place not in those:
            self._emissions[_key(envelope)] += 1
        those[place] = envelope

    def _uncount(self, envelopes: Collection[Envelope]) -> None:
        self._emissions.subtract(map(_key, envelopes))
        for key in {_key(envelope) for envelope in envelopes}:
            if not self._emissions[key]:
                del self._emissions[key]

    def _keep_value(self, place: Place, value: bytes) -> None:
        self._value_bytes += len(value) - len(self._values.pop(place, b""))
        self._values[place] = value
        while self._value_bytes > MOST_VALUE_BYTES:
            _, oldest = self._values.popitem(last=False)
            self._value_bytes -= len(oldest)


def _key(envelope: Envelope) -> EmissionKey:
    return EmissionKey(envelope.pipeline, envelope.run_id, envelope.emission_id)
