"""A broker that refuses: told in one line, with what to set; and waited for if that can change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from conformare_sink.errors import BrokerRefusedError, StreamFailedError
from conformare_sink.kafka.diagnosis import diagnose
from conformare_sink.kafka.listener import addresses
from conformare_sink.kafka.rotation import Rotation
from conformare_sink.kafka.topics import Topics
from conformare_sink.spark.faults import Fault, words_of

logger = logging.getLogger("conformare_sink")

RETRY_SECONDS = 30.0
"""How long new settings are waited for until the old ones are tried again."""


def refusal_of(error: BaseException, topics: Topics) -> BrokerRefusedError | None:
    """Return an error as a broker's refusal; None if it is something else.

    Args:
        error: What a query ended with.
        topics: What it reads.
    """
    if isinstance(error, BrokerRefusedError):
        return error
    servers, access = topics.bootstrap_servers, topics.access
    if (words := words_of(error, Fault.NOT_ALLOWED)) is not None:
        return BrokerRefusedError(
            f"{servers} refused: {_said(words)}; this user needs Read on the topics: "
            "docs/operation/topics.md has the ACLs"
        )
    if (words := words_of(error, Fault.NOT_LET_IN)) is not None:
        found = diagnose(addresses(servers), access)
        told = f"{servers} does not accept {access.secrets_named} ({_said(words)})"
        return BrokerRefusedError(found or told, at_login=True)
    return None


@contextmanager
def refusals_told(topics: Topics) -> Iterator[None]:
    """Raise as a refusal what a query ends with in the block, where a broker refused it.

    Raises:
        BrokerRefusedError: It did.
    """
    try:
        yield
    except StreamFailedError as exc:
        if (refusal := refusal_of(exc, topics)) is not None:
            raise refusal from exc
        raise


class Admission:
    """Whether the brokers let the sink in, and how long that is waited for.

    Args:
        topics: What is read.
        rotation: Takes over new settings.
        stopping: Ends the waiting.
    """

    def __init__(self, topics: Topics, rotation: Rotation, stopping: threading.Event) -> None:
        self._topics = topics
        self._rotation = rotation
        self._stopping = stopping

    def refusal_of(self, error: BaseException) -> BrokerRefusedError | None:
        """Return an error as a broker's refusal; None if it is something else."""
        return refusal_of(error, self._topics)

    def await_settings(self, refusal: BrokerRefusedError) -> bool:
        """Wait a while for settings that brokers accept; return whether any can be expected."""
        if self._rotation.file is None:
            return False
        logger.warning("%s: waiting for %s to change", refusal, self._rotation.file)
        self._rotation.await_change(RETRY_SECONDS, self._stopping)
        return True


def _said(words: str) -> str:
    """Return what an exception of Java's says, without its class."""
    return words.partition("Exception: ")[2].strip()
