"""Each right that the page gives is needed: without it, its user is told so in one plain line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from confluent_kafka.admin._acl import AclBinding, AclOperation
from confluent_kafka.admin._resource import ResourceType
from pyspark.sql import SparkSession
from support.kafka.clients import client_access, client_settings, settings_file
from support.kafka.cluster import OPEN, PLAIN, Cluster
from support.kafka.rights import documented_acls, user_of
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record

from conformare.cli import main
from conformare.emission import KafkaOptions, KafkaWriter
from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.errors import SinkError
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions
from conformare_sink.stream.replay import Selection, replay
from conformare_sink.stream.stream import SinkStream

PREFIX = f"{DEFAULT_TOPIC_PREFIX}rights."
NEEDS = {
    ("topics", "CREATE", "TOPIC"): r"refused to create the topic .*; let this user Create it",
    ("topics", "DESCRIBE", "TOPIC"): r"has created .*runs.*: let this user Describe it",
    ("job", "WRITE", "TOPIC"): r"cannot be delivered to .*AUTHORIZATION_FAILED.* user Write to",
    ("sink", "READ", "TOPIC"): r"needs Describe on the topics conformare\..*or Read",
    ("sink", "READ", "GROUP"): r"will not see the sink's lag: .*needs Read on the group conformare",
    ("replay", "READ", "TOPIC"): r"needs Describe on the topics conformare\..*or Read",
    ("status", "DESCRIBE", "TOPIC"): r"needs Describe on the topics conformare\.",
    ("status", "DESCRIBE", "GROUP"): r"this user needs Describe on the group conformare-sink-",
    ("doctor", "DESCRIBE", "TOPIC"): r"needs Describe on the topics conformare\.",
    ("doctor", "DESCRIBE_CONFIGS", "TOPIC"): r"needs DescribeConfigs on the topic conformare\.",
}
"""User, operation and kind of resource → what is told where the user lacks that right."""


def right_of(acl: AclBinding) -> tuple[str, str, str]:
    """Return the key of `NEEDS` for a right."""
    return user_of(acl), AclOperation(acl.operation).name, ResourceType(acl.restype).name


def test_every_right_of_the_page_is_tried() -> None:
    """None is documented without a test that takes it away."""
    assert sorted(map(right_of, documented_acls())) == sorted(NEEDS)


@dataclass(frozen=True)
class Actions:
    """What each user does; each returns all that it was told."""

    spark: SparkSession
    guarded: Cluster
    lake: str
    caplog: pytest.LogCaptureFixture
    capsys: pytest.CaptureFixture[str]
    number: int

    def options(self, user: str) -> SinkOptions:
        """Where a user reads from and writes to."""
        return SinkOptions(
            bootstrap_servers=self.guarded.at(PLAIN),
            access=client_access(self.guarded, PLAIN, user),
            lake=self.lake,
            topic_prefix=PREFIX,
        )

    def command(self, user: str, *words: str) -> str:
        """Run a command as a user."""
        settings = client_settings(self.guarded, PLAIN, user)
        file = settings_file(self.guarded, user, settings)
        servers = self.guarded.at(PLAIN)
        main([*words, "--bootstrap-servers", servers, "--kafka-settings", str(file)])
        captured = self.capsys.readouterr()
        return captured.out + captured.err

    def topics(self) -> str:
        """Create topics of a prefix that nobody has yet."""
        prefix = f"{DEFAULT_TOPIC_PREFIX}new-{self.number}."
        return self.command("topics", "topics", "create", "--topic-prefix", prefix)

    def job(self) -> str:
        """Record a run."""
        writer = KafkaWriter(
            KafkaOptions(
                bootstrap_servers=self.guarded.at(PLAIN),
                topic_prefix=PREFIX,
                kafka=client_settings(self.guarded, PLAIN, "job"),
            )
        )
        writer.write(make_record("run-of-the-job"))
        assert writer.flush(15) == 1
        writer.close(0)
        return self.caplog.text

    def sink(self) -> str:
        """Land what is there."""
        return self._with_spark(
            lambda: SinkStream(self.spark, self.options("sink"), lambda _: None).run_once()
        )

    def replay(self) -> str:
        """Read all again."""
        options, on_batch = self.options("replay"), lambda _: None
        return self._with_spark(lambda: replay(self.spark, options, Selection(), on_batch=on_batch))

    def status(self) -> str:
        """Look how far the sink is."""
        return self.command("status", "status", "--lake", self.lake, "--topic-prefix", PREFIX)

    def doctor(self) -> str:
        """Look what topics lack."""
        return self.command("doctor", "topics", "check", "--topic-prefix", PREFIX)

    def _with_spark(self, do: Callable[[], object]) -> str:
        try:
            do()
        except SinkError as exc:
            return str(exc)
        return self.caplog.text


@pytest.fixture(scope="module")
def a_lake(guarded: Cluster, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake with a run, and the topics that it came by."""
    servers, lake = guarded.at(OPEN), str(tmp_path_factory.mktemp("lake") / "lake")
    Topics(servers, PREFIX).create()
    Topic(servers, PREFIX).send(messages_of(make_record("run-1"), "e-1"))
    options = SinkOptions(bootstrap_servers=servers, lake=lake, topic_prefix=PREFIX)
    SinkStream(spark, options, lambda _: None).run_once()
    return lake


@pytest.mark.parametrize("right", NEEDS, ids="-".join)
def test_one_right_less_is_told_in_one_line(
    guarded: Cluster,
    spark: SparkSession,
    a_lake: str,
    right: tuple[str, str, str],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is needed, of which topic or group, and no secret."""
    caplog.set_level(logging.INFO)
    number = list(NEEDS).index(right)
    if right == ("sink", "READ", "GROUP"):  # offsets that were committed are not committed again
        Topic(guarded.at(OPEN), PREFIX).send(messages_of(make_record("run-2"), "e-2"))
    (acl,) = (acl for acl in documented_acls() if right_of(acl) == right)
    guarded.forbid(acl)
    try:
        told = getattr(Actions(spark, guarded, a_lake, caplog, capsys, number), right[0])()
    finally:
        guarded.allow([acl])
    assert re.search(NEEDS[right], told), told
    assert guarded.at(PLAIN) in told
    assert "secret-of" not in told


def test_who_may_see_topics_and_not_read_them_is_told(
    guarded: Cluster, spark: SparkSession, a_lake: str, lake: str
) -> None:
    """Spark is refused then; what it says becomes one line that names a topic and the right."""
    del a_lake  # its topics are read
    options = SinkOptions(
        bootstrap_servers=guarded.at(PLAIN),
        access=client_access(guarded, PLAIN, "status"),
        lake=lake,
        topic_prefix=PREFIX,
    )
    told = re.escape(f"{guarded.at(PLAIN)} refused: Not authorized to access topics: [{PREFIX}")
    with pytest.raises(SinkError, match=rf"^{told}.*needs Read on the topics.*$"):
        SinkStream(spark, options, lambda _: None).run_once()
    with pytest.raises(SinkError, match=rf"^{told}.*needs Read on the topics.*$"):
        replay(spark, options, Selection(), on_batch=lambda _: None)


@pytest.mark.parametrize(
    ("user", "role", "state", "told"),
    [
        ("job", "job", "good", "this user may Write conformare.rights."),
        ("sink", "sink", "good", "of conformare.rights.runs was read: a message"),
        ("job", "sink", "mend", "this user may not Read conformare.rights."),
        ("sink", "job", "mend", "this user may not Write conformare.rights."),
        ("status", "sink", "mend", "this user may not Read conformare.rights."),
        ("replay", "sink", "advice", "needs Describe on the group conformare-sink-"),
    ],
)
def test_doctor_says_what_a_user_may(
    guarded: Cluster,
    a_lake: str,
    capsys: pytest.CaptureFixture[str],
    user: str,
    role: str,
    state: str,
    told: str,
) -> None:
    """For its role, and by the broker's own judgement; nothing is written."""
    before = Topics(guarded.at(OPEN), PREFIX).ends()
    file = settings_file(guarded, user, client_settings(guarded, PLAIN, user))
    code = main(
        [
            *("doctor", "--json", "--role", role, "--topic-prefix", PREFIX, "--lake", a_lake),
            *("--bootstrap-servers", guarded.at(PLAIN), "--kafka-settings", str(file)),
        ]
    )
    printed = capsys.readouterr().out
    lines = {
        (one["state"], one["line"])
        for one in json.loads(printed)["findings"]
        if one["part"] == "permissions"
    }
    assert any(found == state and told in line for found, line in lines), lines
    assert any(found == "mend" for found, _ in lines) == (state == "mend")
    assert code in (0, 1)
    assert "secret-of" not in printed
    assert Topics(guarded.at(OPEN), PREFIX).ends() == before


def test_doctor_tells_a_wrong_password(
    guarded: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the line of the broker, by the names of the settings."""
    settings = client_settings(guarded, PLAIN, "job") | {"sasl.password": "secret-of-nobody"}
    file = settings_file(guarded, "nobody", settings)
    brokers = ["--bootstrap-servers", guarded.at(PLAIN), "--kafka-settings", str(file)]
    assert main(["doctor", "--json", "--role", "job", *brokers]) == 1
    printed = capsys.readouterr().out
    (line,) = [one for one in json.loads(printed)["findings"] if one["part"] == "broker"]
    assert line["state"] == "mend"
    assert "does not accept sasl.username and sasl.password" in line["line"]
    assert "secret-of" not in printed
