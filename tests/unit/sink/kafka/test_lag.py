"""The sink's loop does not wait for a broker that does not answer."""

from __future__ import annotations

import threading

from conformare_sink.errors import BrokerUnreachableError
from conformare_sink.kafka.lag import LagReport
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import Topics

AWAY = "127.0.0.1:1"
OFFSETS = {("runs", 0): 5}
PATIENCE_SECONDS = 30.0


class SilentBroker(Topics):
    """Topics of a broker that answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__(AWAY, "")
        self.answers = threading.Event()
        self.asked: list[str] = []
        self.offered = threading.Event()

    def commit(self, group: str, offsets: PartitionOffsets) -> None:
        """Take long."""
        del group, offsets
        self._wait("commit")

    def lag(self, offsets: PartitionOffsets) -> PartitionOffsets:
        """Take long."""
        self._wait("lag")
        return dict.fromkeys(offsets, 7)

    def _wait(self, what: str) -> None:
        # Who is asked while `offer` has not returned would otherwise keep it from returning.
        assert self.offered.wait(PATIENCE_SECONDS)
        self.asked.append(what)
        if not self.answers.wait(PATIENCE_SECONDS):
            raise BrokerUnreachableError(AWAY, PATIENCE_SECONDS)


def test_nobody_waits_for_a_broker_that_is_silent() -> None:
    """Each question is under way once, however often it is asked; the answer comes later."""
    broker, told = SilentBroker(), list[PartitionOffsets]()
    report = LagReport(broker, "group", told.append)
    for _ in range(3):
        report.offer(OFFSETS)
    assert broker.asked == []
    broker.offered.set()
    assert told == []
    broker.answers.set()
    report.finish(OFFSETS)
    assert told == [{("runs", 0): 7}]
    assert sorted(broker.asked) == ["commit", "lag"]
