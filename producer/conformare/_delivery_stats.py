"""What became of the runs that a process recorded through Kafka, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DeliveryStats:
    """What became of the runs that this process recorded through Kafka.

    Attributes:
        recorded: Runs that were recorded.
        spooled: Of those, the ones that were written to the spool before `record_run` returned.
        unspooled: Runs that could not be written to the spool and wait in memory.
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
