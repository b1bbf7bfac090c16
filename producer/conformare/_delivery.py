"""What a job can ask about its deliveries, without loading what delivers before there is any."""

from __future__ import annotations

from conformare import _fork_guard as fork_guard
from conformare._delivery_stats import DeliveryStats


def flush(timeout_seconds: float = 10.0) -> int:
    """Wait until Kafka has acknowledged every run that this process recorded.

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
