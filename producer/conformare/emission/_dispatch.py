"""A whole spool sent at once: a courier for each destination, as the jobs have one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformare._delivery_stats import DeliveryStats
from conformare._options import made_options
from conformare.emission._courier import Courier
from conformare.emission._stats import Ledger, total
from conformare.emission.settings import KafkaOptions
from conformare.emission.spool import Destination, Spool


@dataclass(frozen=True)
class Outcome:
    """What a dispatch has come to.

    Attributes:
        stats: What became of the runs.
        troubles: What keeps the rest from being delivered: brokers → why.
    """

    stats: DeliveryStats
    troubles: Mapping[str, str]


class Dispatch:
    """Delivers what processes that have ended left, for several destinations at the same time.

    Args:
        root: The spool's folder.
        routes: For each destination of the spool, where to and how its emissions are sent.
    """

    def __init__(self, root: Path, routes: Mapping[Destination, KafkaOptions]) -> None:
        self._couriers = [
            (options, Courier(options, Spool(root, destination, options.spool_max_bytes), Ledger()))
            for destination, options in routes.items()
        ]

    def start(self) -> int:
        """Take everything over and begin to send it.

        Returns:
            How many emissions were taken over.
        """
        for _, courier in self._couriers:
            courier.take_over()
        taken = self.undelivered()
        for _, courier in self._couriers:
            courier.start()
        return taken

    def undelivered(self) -> int:
        """Return how many emissions are not settled."""
        return sum(courier.undelivered_in_spool() for _, courier in self._couriers)

    def wait(self, timeout_seconds: float) -> None:
        """Wait until fewer emissions are unsettled, or there are none."""
        for _, courier in self._couriers:
            before = courier.undelivered_in_spool()
            if before:
                self._wait_for_one(courier, before, timeout_seconds)
                return

    def close(self) -> Outcome:
        """Stop, whatever is under way, and leave the rest in the spool."""
        troubles = {
            options.bootstrap_servers: courier.trouble or "no answer yet"
            for options, courier in self._couriers
            if courier.undelivered_in_spool()
        }
        # All at once, so that a second or two is enough for however many.
        threads = [
            threading.Thread(target=courier.close, args=(0,)) for _, courier in self._couriers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Outcome(total(courier.stats() for _, courier in self._couriers), troubles)

    @staticmethod
    def _wait_for_one(courier: Courier, before: int, timeout_seconds: float) -> None:
        courier.wait(lambda: courier.undelivered_in_spool() < before, timeout_seconds)


def route(
    destination: Destination, bootstrap_servers: str | None, topic_prefix: str | None
) -> KafkaOptions:
    """Return where to and how the emissions for a destination are to be sent.

    Args:
        destination: The one that they were recorded for.
        bootstrap_servers: Brokers to send them to instead; None for those of the destination.
        topic_prefix: Prefix of the topics instead; None for that of the destination.

    Raises:
        StoreConfigurationError: An option from the environment does not fit.
    """
    return made_options(
        KafkaOptions,
        "kafka",
        {
            "bootstrap_servers": bootstrap_servers or destination.bootstrap_servers,
            "topic_prefix": destination.topic_prefix if topic_prefix is None else topic_prefix,
            "spool_max_age": None,  # whoever sends does not want to lose what is old
        },
    )
