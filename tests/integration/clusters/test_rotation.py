"""Passwords, secrets and certificates that are renewed under a sink: it runs on, in its process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.kafka.clients import WAYS, client_settings, settings_file
from support.kafka.cluster import MUTUAL, OPEN, Cluster, await_brokers
from support.lakes.checker import check
from support.lakes.running_sink import Messages, RunningSink
from support.messages.produce import Topic, messages_of
from support.messages.records import Record, make_record
from support.servers.certificates import Authority

from conformare_schemas import DEFAULT_TOPIC_PREFIX
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.topics import Topics
from conformare_sink.options import SinkOptions

RENEWED = "has changed: the sink uses it"
KEPT = "the sink keeps the earlier settings"

StartSink = Callable[[SinkOptions], RunningSink]


class Scene:
    """A sink that comes by one way in, and runs that are recorded meanwhile."""

    def __init__(self, guarded: Cluster, way: str, lake: str) -> None:
        self._guarded = guarded
        self.lake = lake
        self.settings = client_settings(guarded, way, "sink")
        self.file = settings_file(guarded, f"rotating-{way}", self.settings)
        prefix = f"{DEFAULT_TOPIC_PREFIX}rotating-{way}."
        Topics(guarded.at(OPEN), prefix).create()
        self.options = SinkOptions(
            bootstrap_servers=guarded.at(WAYS[way]),
            access=KafkaAccess.read(self.file),
            lake=lake,
            topic_prefix=prefix,
        )
        self._topic = Topic(guarded.at(OPEN), prefix)
        self.records: list[Record] = []

    def record_run(self) -> None:
        """Let another run be on the topics."""
        record = make_record(f"run-{len(self.records)}")
        self._topic.send(messages_of(record, f"e-{len(self.records)}"))
        self.records.append(record)

    def renew(self, setting: str, value: str) -> None:
        """Change a setting in the sink's file."""
        self.settings[setting] = value
        written = settings_file(self._guarded, self.file.stem, self.settings)
        assert written == self.file


def test_a_password_is_renewed_in_either_order(
    guarded: Cluster, running_sink: StartSink, lake: str, said: Messages
) -> None:
    """In the file before the broker knows it, and the reverse; the sink waits for the other."""
    if not guarded.kafka.keeps_passwords:
        pytest.skip("this release keeps no passwords without ZooKeeper")
    scene = Scene(guarded, "SCRAM-SHA-512", lake)
    sink = running_sink(scene.options)
    scene.record_run()
    sink.await_runs(1)

    scene.renew("sasl.password", "second-secret")
    told = said.await_line(KEPT)
    assert "does not accept sasl.username and sasl.password" in told
    assert "secret" not in told
    scene.record_run()
    sink.await_runs(1)
    guarded.set_password("sink", "second-secret")
    said.await_line(RENEWED)
    scene.record_run()
    sink.await_runs(1)

    guarded.set_password("sink", "third-secret")
    said.await_line(f"waiting for {scene.file} to change")
    scene.record_run()
    scene.renew("sasl.password", "third-secret")
    said.await_line(RENEWED)
    sink.await_runs(1)
    assert check(lake, scene.records).is_sound


def test_a_secret_for_tokens_is_renewed(
    guarded: Cluster, running_sink: StartSink, lake: str, said: Messages
) -> None:
    """The endpoint refuses the new one at first."""
    scene = Scene(guarded, "OAUTHBEARER", lake)
    sink = running_sink(scene.options)
    scene.record_run()
    sink.await_runs(1)

    scene.renew("sasl.oauthbearer.client.secret", "second-secret")
    told = said.await_line(KEPT)
    assert f"does not accept the token from {guarded.tokens.url}" in told
    assert "secret" not in told.replace("client.secret", "")
    guarded.tokens.secrets["sink"] = "second-secret"
    said.await_line(RENEWED)
    scene.record_run()
    sink.await_runs(1)
    assert check(lake, scene.records).is_sound


def test_certificates_of_another_authority_are_taken_over(
    guarded: Cluster, running_sink: StartSink, lake: str, said: Messages, tmp_path: Path
) -> None:
    """Under the names that the files had; the broker has its own already."""
    scene = Scene(guarded, MUTUAL, lake)
    trusted = tmp_path / "authority.pem"
    shutil.copy(guarded.authority.file, trusted)
    scene.renew("ssl.ca.location", str(trusted))
    options = scene.options.model_copy(update={"access": KafkaAccess.read(scene.file)})
    sink = running_sink(options)
    scene.record_run()
    sink.await_runs(1)

    (tmp_path / "renewed").mkdir()
    renewed = Authority(tmp_path / "renewed", "renewed")
    (broker,) = guarded.brokers
    broker.stop()
    certificate, key = renewed.certify("broker-1")
    (broker.folder / "keystore.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
    shutil.copy(renewed.file, guarded.authority.file)
    broker.start()
    await_brokers(guarded, 1)
    told = said.await_line(f"waiting for {scene.file} to change")
    assert f"is signed by commonName=renewed, which is not in {trusted}" in told
    scene.record_run()

    certificate, key = renewed.certify("sink")
    for new, name in (
        (renewed.file, "ssl.ca.location"),
        (certificate, "ssl.certificate.location"),
        (key, "ssl.key.location"),
    ):
        shutil.copy(new, scene.settings[name])
    said.await_line(RENEWED)
    sink.await_runs(1)
    assert check(lake, scene.records).is_sound
