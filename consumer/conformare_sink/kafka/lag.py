"""How far the sink has landed, and how far it is behind: told to Kafka and to the metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import Topics

logger = logging.getLogger("conformare_sink")

LAST_WORD_SECONDS = 5.0
LOOK_SECONDS = 10.0
"""How often the lag is asked for."""


class LagReport:
    """Commits offsets to a consumer group and asks for the lag, both in the background.

    Where no broker answers, librdkafka does not let go of either for ten seconds: nobody is to wait
    for that, and the next batch reports the lag as well.

    Args:
        topics: The topics.
        group: The consumer group.
        tell: Is given the lag of every partition.
    """

    def __init__(
        self, topics: Topics, group: str, tell: Callable[[PartitionOffsets], None]
    ) -> None:
        self._topics = topics
        self._group = group
        self._tell = tell
        self._reported: PartitionOffsets = {}
        self._refused = False
        self._look_again = 0.0
        self._committing = _OneAtATime("lag-commit")
        self._looking = _OneAtATime("lag-look")

    def offer(self, offsets: PartitionOffsets) -> None:
        """Commit offsets and look at the lag, unless that is done, or under way."""
        if offsets and offsets != self._reported:
            self._committing.begin(partial(self._commit, offsets))
        now = time.monotonic()
        if now >= self._look_again and self._looking.begin(partial(self._look, offsets)):
            self._look_again = now + LOOK_SECONDS

    def finish(self, offsets: PartitionOffsets) -> None:
        """Commit the last offsets, within a few seconds or not at all."""
        if self._committing.wait(LAST_WORD_SECONDS):  # for one that is under way
            self.offer(offsets)
            self._committing.wait(LAST_WORD_SECONDS)
        self._looking.wait(LAST_WORD_SECONDS)

    def _commit(self, offsets: PartitionOffsets) -> None:
        try:
            self._topics.commit(self._group, offsets)
        except BrokerUnreachableError:
            return  # the query tells of it
        except BrokerRefusedError as exc:
            if not self._refused:
                logger.warning("Kafka's own tools will not see the sink's lag: %s", exc)
                self._refused = True
        self._reported = offsets

    def _look(self, offsets: PartitionOffsets) -> None:
        try:
            lag = self._topics.lag(offsets)
        except (BrokerUnreachableError, BrokerRefusedError):
            return  # the query tells of it, if it needs that broker
        self._tell(lag)


class _OneAtATime:
    """A thread in the background; what comes while it is at work is let go."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None

    def begin(self, do: Callable[[], None]) -> bool:
        """Begin to do something, and return whether that was possible."""
        if not self.wait(0):
            return False
        # A daemon: what does not end is not to keep the process from ending.
        self._thread = threading.Thread(target=do, name=self._name, daemon=True)
        self._thread.start()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for what is under way; return whether nothing is any more."""
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()
