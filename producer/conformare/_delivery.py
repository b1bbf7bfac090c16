"""What a job can ask about its deliveries, without loading what delivers before there is any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformare import _fork_guard as fork_guard


@dataclass(frozen=True)
class DeliveryStats:
    """What became of the runs that this process recorded through Kafka.

    Attributes:
        recorded: Runs that were recorded.
        spooled: Of those, the ones that were written to the spool before `record_run` returned.
        unspooled: Runs that were to be written to it and could not be: they wait in memory.
        delivered: Runs whose every message was acknowledged, adopted ones included.
        retried: How often a run was sent again.
        rejected: Runs that the brokers or the message limit refuse for good; they are kept in
            the spool's folder `rejected`.
        adopted: Runs that this process has taken over from processes that had ended.
        lost: Runs that are lost, by reason.
        waiting: Runs that wait now, adopted ones included.
        waiting_bytes: What they take, in bytes.
        oldest_seconds: How long the oldest of them has waited, in seconds; 0 for none.
    """

    recorded: int = 0
    spooled: int = 0
    unspooled: int = 0
    delivered: int = 0
    retried: int = 0
    rejected: int = 0
    adopted: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    waiting_bytes: int = 0
    oldest_seconds: float = 0.0


def flush(timeout_seconds: float = 10.0) -> int:
    """Wait until every run that this process has recorded through Kafka is acknowledged.

    Args:
        timeout_seconds: How long at most, in seconds.

    Returns:
        How many of them are still undelivered; those in the spool are safe there.
    """
    with fork_guard.whole:
        from conformare.emission import flush_all

    return flush_all(timeout_seconds)


def delivery_stats() -> DeliveryStats:
    """Return what became of the runs that this process recorded through Kafka.

    Returns:
        Counts since the start of the process, and what waits now; of all Kafka stores together.
    """
    with fork_guard.whole:
        from conformare.emission import stats_of_all

    return stats_of_all()
