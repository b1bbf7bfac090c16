"""The releases of Kafka that are tested, and what each can do."""

from __future__ import annotations

import os
from dataclasses import dataclass

from conformare_sink.spark.jars import BROKER_JARS, KAFKA_VERSION, SCALA_VERSION, JarSet

OLDEST, NEWEST = "3.3.2", "4.4.0"
"""3.3 is the first release whose brokers are fit for production without ZooKeeper."""

VARIABLE = "CONFORMARE_TEST_KAFKA"
"""Names the release to test; that of the embedded broker when not set."""

_FIRST_WITH_PASSWORDS = (3, 5)


@dataclass(frozen=True)
class Kafka:
    """A release of Kafka.

    Attributes:
        version: Such as "4.1.1".
    """

    version: str

    @property
    def is_3(self) -> bool:
        """Whether it is one of 3.x."""
        return self._parts[0] == 3

    @property
    def keeps_passwords(self) -> bool:
        """Whether its controllers keep what SCRAM needs, which needed ZooKeeper before."""
        return self._parts >= _FIRST_WITH_PASSWORDS

    @property
    def jars(self) -> JarSet:
        """Its own server."""
        if self.version == KAFKA_VERSION:
            return BROKER_JARS
        # Kafka 3 writes its log by an interface that newer releases of slf4j do not serve.
        slf4j = "1.7.36" if self.is_3 else "2.0.17"
        coordinates = (
            f"org.apache.kafka:kafka_{SCALA_VERSION}:{self.version}",
            f"org.slf4j:slf4j-simple:{slf4j}",
        )
        return JarSet("broker", coordinates, beside_spark=False)

    @property
    def _parts(self) -> tuple[int, ...]:
        return tuple(map(int, self.version.split(".")))


TESTED = Kafka(os.environ.get(VARIABLE, KAFKA_VERSION))
"""The release that tests of this run use."""

if __name__ == "__main__":
    print(OLDEST, NEWEST)  # noqa: T201 - for `make test-brokers`
