"""`python -m conformare_sink.cli._training FILE`: the run that an archive is made from.

It lands messages in a lake that nobody keeps, so that Java has loaded what a sink needs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer

from conformare_schemas import DEFAULT_TOPIC_PREFIX, topic_name
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.broker.ports import free_port
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions
from conformare_sink.spark.process import end_spark
from conformare_sink.spark.session import build_session
from conformare_sink.stream.stream import SinkStream

_FLUSH_SECONDS = 10.0


def train(archive: Path) -> None:
    """Run a sink and return when its Java has written the archive.

    Args:
        archive: The file to be written.
    """
    with TemporaryDirectory() as folder:
        broker = EmbeddedBroker(Path(folder, "broker"), free_port())
        broker.start()
        try:
            _land(broker.bootstrap_servers, str(Path(folder, "lake")), archive)
        finally:
            broker.stop()


def _land(servers: str, lake: str, archive: Path) -> None:
    Topics(servers, DEFAULT_TOPIC_PREFIX).create()
    producer = Producer({"bootstrap.servers": servers})
    # No message of the contract, for these are the producer's: it goes to quarantine, which is a
    # table as any other.
    producer.produce(topic_name("runs", DEFAULT_TOPIC_PREFIX), b"", b"training")
    producer.flush(_FLUSH_SECONDS)
    spark = build_session(
        "conformare-class-archive",
        master="local[2]",
        extra_conf={"spark.driver.extraJavaOptions": f'"-XX:ArchiveClassesAtExit={archive}"'},
    )
    SinkStream(spark, SinkOptions(bootstrap_servers=servers, lake=lake), print).run_once()
    end_spark(spark, within_seconds=None)  # Java writes the archive then


if __name__ == "__main__":
    train(Path(sys.argv[1]))
