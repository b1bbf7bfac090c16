"""Which jars there are to fetch: the one place that names their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

SCALA_VERSION = "2.13"
SPARK_VERSION = "4.1.1"
DELTA_VERSION = "4.3.1"
KAFKA_VERSION = "4.1.1"
SLF4J_VERSION = "2.0.17"

DIGESTS_FILE = Path(__file__).with_name("tested.sha256")
"""SHA-256 of every jar that the tests of this release ran with, as `sha256sum` writes them."""

_SPARK_LINE = ".".join(SPARK_VERSION.split(".")[:2])


@dataclass(frozen=True)
class JarSet:
    """Jars that are fetched together and share one class path.

    Attributes:
        name: Names the set's folder in the cache.
        coordinates: Each as group:artifact:version.
        beside_spark: The jars are used inside Spark's own Java process, so what the installed
            pyspark already ships is left out.
        transitive: What the coordinates depend on is fetched as well.
        digests: SHA-256 of each jar by its file name: a jar that has another one, or none, is
            refused. None takes jars as they come.
    """

    name: str
    coordinates: tuple[str, ...]
    beside_spark: bool
    transitive: bool = True
    digests: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def key(self) -> str:
        """The folder's name: other versions never share a folder."""
        alone = () if self.transitive else ("transitive=False",)
        identity = "\n".join((*self.coordinates, f"beside_spark={self.beside_spark}", *alone))
        return f"{self.name}-{sha256(identity.encode()).hexdigest()[:12]}"


def _tested_digests() -> dict[str, str]:
    lines = DIGESTS_FILE.read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


_DIGESTS = _tested_digests()

SINK_JARS = JarSet(
    name="sink",
    coordinates=(
        f"io.delta:delta-spark_{_SPARK_LINE}_{SCALA_VERSION}:{DELTA_VERSION}",
        f"org.apache.spark:spark-sql-kafka-0-10_{SCALA_VERSION}:{SPARK_VERSION}",
    ),
    beside_spark=True,
    digests=_DIGESTS,
)
"""What Spark needs to read Kafka and write Delta."""

BROKER_JARS = JarSet(
    name="broker",
    coordinates=(
        f"org.apache.kafka:kafka_{SCALA_VERSION}:{KAFKA_VERSION}",
        f"org.slf4j:slf4j-simple:{SLF4J_VERSION}",
    ),
    beside_spark=False,
    digests=_DIGESTS,
)
"""Apache Kafka's own server."""

JAR_SETS: tuple[JarSet, ...] = (SINK_JARS, BROKER_JARS)
