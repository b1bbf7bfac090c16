"""Passwords and certificates that are renewed while the sink runs.

Neither librdkafka nor Kafka's Java client reads a file again: what they were given holds for as long
as they live. So the files are looked at now and then, and clients are made anew when they changed.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from conformare_sink.errors import BrokerRefusedError, BrokerUnreachableError, KafkaSettingsError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.topics import Topics

logger = logging.getLogger("conformare_sink")

LOOK_SECONDS = 5.0
"""How often the files are looked at."""
_ANSWER_SECONDS = 3.0
_POLL_SECONDS = 0.5


class Rotation:
    """Takes over what the file of settings says, and the files that it names, when that changes.

    Args:
        topics: What gets the new settings.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._trouble: str | None = None
        self._told: str | None = None
        self._next_look = time.monotonic() + LOOK_SECONDS

    @property
    def file(self) -> Path | None:
        """The file of settings; None where there is none, and nothing can change."""
        return self._topics.access.file

    def look(self) -> bool:
        """Take over what is new, at most every few seconds; return whether anything was."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        taken = self.take_over()
        self._next_look = time.monotonic() + LOOK_SECONDS
        return taken

    def await_change(self, seconds: float, stopping: threading.Event) -> bool:
        """Wait until something new was taken over; return whether it was, in this time."""
        deadline = time.monotonic() + seconds
        while not stopping.wait(_POLL_SECONDS) and time.monotonic() < deadline:
            if self.take_over():
                return True
        return False

    def take_over(self) -> bool:
        """Take over what is new, if brokers accept it; return whether anything was.

        Settings that are wrong, or that the brokers do not know yet, are told once; those from
        before hold on.
        """
        if self.file is None:
            return False
        try:
            found = KafkaAccess.read(self.file)
            if found != self._topics.access:
                asked = Topics(self._topics.bootstrap_servers, "", found)
                asked.partitions(_ANSWER_SECONDS)
        except (KafkaSettingsError, BrokerRefusedError) as exc:
            self._tell(str(exc))
            return False
        except BrokerUnreachableError:
            return False
        self._trouble = self._told = None
        if found == self._topics.access:
            return False
        self._topics.renew(found)
        logger.warning("%s, or a file that it names, has changed: the sink uses it", self.file)
        return True

    def _tell(self, trouble: str) -> None:
        # A certificate may be there a moment before its key: only what lasts is told.
        if trouble == self._trouble and trouble != self._told:
            logger.warning("%s; the sink keeps the earlier settings", trouble)
            self._told = trouble
        self._trouble = trouble
