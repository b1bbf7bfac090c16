"""What waits for the rest of its emission: in memory by run, and in the lake for the next process.

A message that has waited stays in the lake until maintenance, and means something only as long as
its run is not known. So executing a batch again can add a message a second time and never a wrong
one: what is kept is a set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import Message, Place


class PendingMessages:
    """The messages of incomplete emissions, by their Kafka key, which is the run_id.

    Args:
        kept: Messages that wait in the lake, each with its emission.
    """

    def __init__(self, kept: Iterable[tuple[Message, EmissionKey]] = ()) -> None:
        self._messages: dict[bytes, dict[Place, Message]] = {}
        self._emissions: dict[bytes, set[EmissionKey]] = {}
        self._taken: dict[Place, Message] = {}
        for message, emission in kept:
            self._add(message, emission)

    @property
    def emissions(self) -> int:
        """How many emissions wait."""
        return sum(map(len, self._emissions.values()))

    def take(self, messages: Collection[Message]) -> list[Message]:
        """Return messages, and with them all that has waited for one of the same key."""
        self._taken = {}
        for key in {message.key for message in messages if message.key is not None}:
            self._taken.update(self._messages.pop(key, {}))
            self._emissions.pop(key, None)
        return list({m.place: m for m in (*self._taken.values(), *messages)}.values())

    def wait(self, envelopes: Collection[Envelope]) -> list[Envelope]:
        """Let the messages of incomplete emissions wait; return those that are new to it."""
        for e in envelopes:
            self._add(e.message, EmissionKey(e.pipeline, e.run_id, e.emission_id))
        return [e for e in envelopes if e.message.place not in self._taken]

    def _add(self, message: Message, emission: EmissionKey) -> None:
        key = emission.run_id.encode()
        self._messages.setdefault(key, {})[message.place] = message
        self._emissions.setdefault(key, set()).add(emission)
