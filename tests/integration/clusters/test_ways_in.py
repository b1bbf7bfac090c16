"""Every way in that companies use, from the job to a replay, with the rights that the page gives."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from support.kafka.clients import WAYS, client_access, client_settings, settings_file
from support.kafka.cluster import OAUTH, PLAIN, SCRAM, Cluster
from support.messages.records import make_record

from conformare.cli import main
from conformare.emission import KafkaOptions, KafkaWriter
from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.kafka.topics import Topics, consumer_group
from conformare_sink.lake.tables.places import lake_tables
from conformare_sink.landing.report import BatchReport
from conformare_sink.messages.emission import Decision
from conformare_sink.options import SinkOptions
from conformare_sink.status import read_status
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

SECONDS = 60


@pytest.mark.parametrize("way", WAYS)
def test_a_run_goes_all_the_way(
    spark: SparkSession,
    guarded: Cluster,
    lake: str,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Job, sink, status and replay, each as its own user; no secret is to be read anywhere."""
    if WAYS[way] == SCRAM and not guarded.kafka.keeps_passwords:
        pytest.skip("this release keeps no passwords without ZooKeeper")
    caplog.set_level(logging.DEBUG)
    servers = guarded.at(WAYS[way])
    prefix = f"{DEFAULT_TOPIC_PREFIX}by-{way}."
    Topics(servers, prefix, client_access(guarded, way, "topics")).create()

    writer = KafkaWriter(
        KafkaOptions(
            bootstrap_servers=servers,
            topic_prefix=prefix,
            kafka=client_settings(guarded, way, "job"),
        )
    )
    writer.write(make_record("run-1"))
    assert writer.flush(SECONDS) == 0, caplog.text
    writer.close(0)

    def options(user: str) -> SinkOptions:
        access = client_access(guarded, way, user)
        return SinkOptions(bootstrap_servers=servers, access=access, lake=lake, topic_prefix=prefix)

    reports: list[BatchReport] = []
    SinkStream(spark, options("sink"), reports.append).run_once()
    assert sum(report.emissions[Decision.LAND] for report in reports) == 1
    as_status = options("status")
    tables = lake_tables(spark, as_status)
    landed = as_status.topics().committed(consumer_group(tables.lake_id()))
    assert sum(landed.values()) > 0
    assert set((read_status(tables, as_status.topics()).lag_by_topic or {}).values()) == {0}
    again = replay(spark, options("replay"), Selection(), dry_run=True, on_batch=lambda _: None)
    assert (again.landed, again.repeated) == (0, 1)

    written = [path.read_bytes() for path in Path(lake).rglob("*") if path.is_file()]
    seen = [caplog.text, *capfd.readouterr(), repr(as_status)]
    assert not [text for text in seen if "secret-of-" in text]
    assert not [content for content in written if b"secret-of-" in content]


@pytest.mark.parametrize("way", [way for way, at in WAYS.items() if at in (PLAIN, SCRAM, OAUTH)])
def test_a_wrong_secret_is_told_in_one_line(
    guarded: Cluster,
    way: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the broker and the settings to correct, to an operator and to a job; never the secret."""
    if WAYS[way] == SCRAM and not guarded.kafka.keeps_passwords:
        pytest.skip("this release keeps no passwords without ZooKeeper")
    servers = guarded.at(WAYS[way])
    settings = client_settings(guarded, way, "doctor")
    secret = next(name for name, value in settings.items() if value == "secret-of-doctor")
    settings[secret] = "another-secret"
    file = settings_file(guarded, f"wrong-{way}", settings)
    command = ["topics", "check", "--bootstrap-servers", servers, "--kafka-settings", str(file)]
    assert main(command) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"error: {servers} does not accept ")
    assert secret in line

    options = KafkaOptions(bootstrap_servers=servers, kafka=settings, durability="memory")
    writer = KafkaWriter(options)
    writer.write(make_record("run-1"))
    assert writer.flush(8) == 1
    writer.close(0)
    lines = [record.getMessage() for record in caplog.records if record.name == "conformare"]
    assert [line for line in lines if servers in line and "the settings sasl.…" in line], lines
    assert "another-secret" not in captured.out + captured.err + caplog.text
