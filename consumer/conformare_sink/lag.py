"""How far the sink has landed, told to Kafka, so that Kafka's own tools see the sink's lag."""

from __future__ import annotations

import logging
import threading

from conformare_sink.cluster import PartitionOffsets
from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError
from conformare_sink.topics import Topics

logger = logging.getLogger("conformare_sink")

LAST_WORD_SECONDS = 5.0


class LagReport:
    """Commits offsets to a consumer group, in the background.

    Where no broker answers, librdkafka does not let go of a commit for most of a minute: nobody is
    to wait for that, and the next batch reports the lag as well.

    Args:
        topics: The topics.
        group: The consumer group.
    """

    def __init__(self, topics: Topics, group: str) -> None:
        self._topics = topics
        self._group = group
        self._reported: PartitionOffsets = {}
        self._refused = False
        self._given_up = False
        self._thread: threading.Thread | None = None

    def offer(self, offsets: PartitionOffsets) -> None:
        """Commit offsets, unless they are committed, or a commit is under way."""
        if offsets and offsets != self._reported and not self._is_busy():
            self._thread = threading.Thread(
                target=self._commit, args=[offsets], name="lag", daemon=True
            )
            self._thread.start()

    def finish(self, offsets: PartitionOffsets) -> None:
        """Commit the last offsets, within a few seconds or not at all."""
        self._wait()  # for one that is under way
        self.offer(offsets)
        self._wait()

    def _wait(self) -> None:
        if self._thread is not None and not self._given_up:
            self._thread.join(LAST_WORD_SECONDS)
            self._given_up = self._is_busy()

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

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
