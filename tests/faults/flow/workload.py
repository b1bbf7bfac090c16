"""What flows: runs as they come in practice and at their worst, drawn from a seed.

Each run has a story: how it is emitted, in which order its messages come, which of them come again,
late or never. The same seed and number of runs give the same messages in the same order.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from support.lakes.checker import RunKey
from support.messages.produce import messages_of
from support.messages.records import TYPICAL_ROWS, Record, make_declaration, make_record

from conformare.emission import Message
from faults.flow.unusable import Outgoing, spoiled

INTERLEAVED = 4.0
"""Over how many runs' time the messages of one emission are spread."""
LATE = 60.0
"""After how many runs' time a message comes at the latest that is late or comes again."""
UNUSABLE_SHARE = 0.03
DECLARED_SHARE = 0.1
"""How many declarations of locations there are beside each run."""

_ONE_MESSAGE = 1_000_000
_SPLIT_BYTES = (1_200, 2_000, 4_000)
_FIRST_MILLISECOND = 1_767_322_800_000
_UUID7_RANDOM_BITS = 0xFFF << 64 | (1 << 62) - 1
_SIZES: Sequence[Mapping[str, int]] = (
    TYPICAL_ROWS,
    TYPICAL_ROWS,
    {"contexts": 1, "sources": 1, "sinks": 1},
    {"risks": 3, "owners": 2, "expectations": 40},
    {},
)
_LARGE = {"contexts": 20, "risks": 200, "owners": 40, "sources": 4}

_Flow = Iterator[tuple[float, Message]]


@dataclass(frozen=True)
class Emission:
    """One emission of a run: enough to make its record and its messages, at any time."""

    run_id: str
    pipeline: str
    emission_id: str
    content: str
    rows: Mapping[str, int]
    max_message_bytes: int

    @property
    def run(self) -> RunKey:
        """The run that is emitted."""
        return (self.pipeline, self.run_id)

    def record(self) -> Record:
        """Return the rows that must be in the tables if this emission lands."""
        return make_record(
            self.run_id, pipeline=self.pipeline, content=self.content, rows=dict(self.rows)
        )

    def messages(self) -> list[Message]:
        """Return its messages, in the order of the product's writer."""
        return messages_of(
            self.record(), self.emission_id, max_message_bytes=self.max_message_bytes
        )


class Workload:
    """The messages of a number of runs, and what must become of them.

    Args:
        seed: What everything is drawn from.
        runs: How many run_ids.

    Attributes:
        runs: How many run_ids.
        begun: How many of them have begun so far.
        landable: Every emission that may land, by its emission_id: it comes whole in the end.
        incomplete: Runs of which no emission will ever be whole.
        declared: The records of declarations, each of which lands once.
    """

    def __init__(self, seed: int, runs: int) -> None:
        self.runs = runs
        self.begun = 0
        self.landable: dict[str, Emission] = {}
        self.incomplete: set[RunKey] = set()
        self.declared: list[Record] = []
        self._chance = random.Random(seed)  # noqa: S311 - the same messages every time
        self._stories: list[Callable[[Workload, Emission], _Flow]] = []

    def messages(self) -> Iterator[Outgoing]:
        """Yield every message, in the order of sending; to be iterated over once."""
        waiting: list[tuple[float, int, Outgoing]] = []
        serial = itertools.count()
        for number in range(self.runs):
            self.begun += 1
            for delay, message in itertools.chain(self._story(number), self._declaration()):
                good = Outgoing(message.grain, message.key, message.value, usable=True)
                heappush(waiting, (number + delay, next(serial), good))
                if self._chance.random() < UNUSABLE_SHARE:
                    bad = spoiled(message, self._chance)
                    heappush(waiting, (number + delay, next(serial), bad))
            while waiting and waiting[0][0] <= number:
                yield heappop(waiting)[2]
        while waiting:
            yield heappop(waiting)[2]

    def row_counts(self, emission_id: str) -> dict[str, int] | None:
        """Return the rows of each grain of an emission that may land; None for any other."""
        emission = self.landable.get(emission_id)
        return None if emission is None else {**emission.rows, "runs": 1}

    def records(self) -> Iterator[Record]:
        """Yield the record of every emission that may land."""
        return (emission.record() for emission in self.landable.values())

    @property
    def landing_runs(self) -> int:
        """How many runs must be in the lake: a run_id in two pipelines is two."""
        return len({emission.run for emission in self.landable.values()})

    def _story(self, number: int) -> _Flow:
        if not self._stories:
            self._stories = [story for story, times in STORIES.items() for _ in range(times)]
            self._chance.shuffle(self._stories)
        first = self._emission(self._run_id(number), self._chance.choice(("orders", "returns")))
        return self._stories.pop()(self, first)

    def _declaration(self) -> _Flow:
        """Declare risks of a location beside some runs; half of the messages come again."""
        if self._chance.random() >= DECLARED_SHARE:
            return
        record = make_declaration(f"/données/{self._chance.randrange(10)}")
        self.declared.append(record)
        message = messages_of(record, self._uuid7())
        yield from self._spread(message)
        yield from self._spread(message * self._chance.randrange(2), self._late())

    def _run_id(self, number: int) -> str:
        """A run_id ordered by time, as by default, or at random, or a name of the user's."""
        kind = self._chance.random()
        if kind < 0.1:
            return f"nuit n° {number}"
        if kind < 0.5:
            return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return self._uuid7()

    def _uuid7(self) -> str:
        milliseconds = _FIRST_MILLISECOND + self.begun * 250
        low = self._chance.getrandbits(128) & _UUID7_RANDOM_BITS
        return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | low))

    def _emission(
        self,
        run_id: str,
        pipeline: str,
        *,
        content: str = "first",
        rows: Mapping[str, int] | None = None,
        max_message_bytes: int = _ONE_MESSAGE,
    ) -> Emission:
        size = self._chance.choice(_SIZES) if rows is None else rows
        return Emission(run_id, pipeline, self._uuid7(), content, size, max_message_bytes)

    def _again(
        self, first: Emission, *, pipeline: str | None = None, content: str | None = None
    ) -> Emission:
        """Another emission of the same run, of other rows where the content is another."""
        return self._emission(
            first.run_id,
            pipeline or first.pipeline,
            content=content or first.content,
            rows=None if content else first.rows,
        )

    def _sent(
        self, emission: Emission, messages: Sequence[Message] | None = None, after: float = 0.0
    ) -> _Flow:
        """Send messages of an emission in their order, all of them unless some are given."""
        self.landable[emission.emission_id] = emission
        return self._spread(emission.messages() if messages is None else messages, after)

    def _spread(self, messages: Sequence[Message], after: float = 0.0) -> _Flow:
        width = self._chance.choice((0.0, 1.0, INTERLEAVED))
        delays = sorted(self._chance.uniform(0, width) for _ in messages)
        return iter([(after + delay, m) for delay, m in zip(delays, messages, strict=True)])

    def _late(self) -> float:
        return self._chance.choice((0.0, self._chance.uniform(0, 3), self._chance.uniform(3, LATE)))

    def _plain(self, first: Emission) -> _Flow:
        return self._sent(first)

    def _split(self, first: Emission) -> _Flow:
        parts = self._chance.choice(_SPLIT_BYTES)
        rows = self._chance.choice((TYPICAL_ROWS, _LARGE))
        return self._sent(
            self._emission(first.run_id, first.pipeline, rows=rows, max_message_bytes=parts)
        )

    def _shuffled(self, first: Emission) -> _Flow:
        messages = first.messages()
        self._chance.shuffle(messages)
        return self._sent(first, messages)

    def _runs_before_children(self, first: Emission) -> _Flow:
        *children, runs = first.messages()
        return self._sent(first, [runs, *children])

    def _single_messages_again(self, first: Emission) -> _Flow:
        messages = first.messages()
        again = self._chance.choices(messages, k=self._chance.randint(1, 6))
        return itertools.chain(self._sent(first), self._spread(again, self._late()))

    def _sent_again(self, first: Emission) -> _Flow:
        return itertools.chain(self._sent(first), self._sent(first, after=self._late()))

    def _emitted_again(self, first: Emission) -> _Flow:
        return itertools.chain(
            self._sent(first), self._sent(self._again(first), after=self._late())
        )

    def _conflicting(self, first: Emission) -> _Flow:
        second = self._again(first, content="second")
        return itertools.chain(self._sent(first), self._sent(second, after=self._late()))

    def _in_two_pipelines(self, first: Emission) -> _Flow:
        second = self._again(first, pipeline="payments", content="of payments")
        return itertools.chain(self._sent(first), self._sent(second, after=self._late()))

    def _one_message_late(self, first: Emission) -> _Flow:
        messages = first.messages()
        late = messages.pop(self._chance.randrange(len(messages)))
        return itertools.chain(
            self._sent(first, messages), self._spread([late], self._chance.uniform(3, LATE))
        )

    def _whole_at_the_second_try(self, first: Emission) -> _Flow:
        broken_off = self._without_one(first)
        second = self._again(first, content="second")
        return itertools.chain(self._spread(broken_off), self._sent(second, after=self._late()))

    def _never_whole(self, first: Emission) -> _Flow:
        self.incomplete.add(first.run)
        return self._spread(self._without_one(first))

    def _without_one(self, emission: Emission) -> list[Message]:
        """The messages of an emission of the same run with several, but one of them."""
        several = self._emission(emission.run_id, emission.pipeline, rows=TYPICAL_ROWS)
        messages = several.messages()
        messages.pop(self._chance.randrange(len(messages)))
        return messages


Story = Callable[[Workload, Emission], _Flow]

STORIES: Mapping[Story, int] = {
    Workload._plain: 28,
    Workload._split: 10,
    Workload._shuffled: 10,
    Workload._runs_before_children: 6,
    Workload._single_messages_again: 8,
    Workload._sent_again: 8,
    Workload._emitted_again: 5,
    Workload._conflicting: 8,
    Workload._in_two_pipelines: 5,
    Workload._one_message_late: 5,
    Workload._whole_at_the_second_try: 4,
    Workload._never_whole: 3,
}
"""How many of a hundred runs have which story."""
