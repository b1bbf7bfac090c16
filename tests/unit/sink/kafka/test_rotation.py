"""Settings that change on the disk: what is told of those that are wrong. Nothing is started."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.servers.certificates import Authority

from conformare_sink.kafka.access import ANYBODY, KafkaAccess
from conformare_sink.kafka.rotation import Rotation
from conformare_sink.kafka.topics import Topics

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def topics(tmp_path: Path) -> Topics:
    """Topics whose brokers are away, with settings from a file."""
    certificate, key = Authority(tmp_path).certify("sink")
    file = tmp_path / "client.properties"
    file.write_text(
        f"security.protocol=SSL\nssl.certificate.location={certificate}\nssl.key.location={key}\n",
        encoding="utf-8",
    )
    return Topics(NOWHERE, "", KafkaAccess.read(file))


def test_files_that_say_the_same_change_nothing(
    topics: Topics, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor do settings that come from no file."""
    before = topics.access
    assert not Rotation(topics).take_over()
    assert not Rotation(Topics(NOWHERE, "", ANYBODY)).take_over()
    assert topics.access is before
    assert caplog.text == ""


def test_a_certificate_without_its_key_is_told_once_and_only_if_it_stays(
    topics: Topics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One is on the disk a moment before the other."""
    key = (tmp_path / "sink.key").read_text(encoding="utf-8")
    Authority(tmp_path).certify("sink")
    (tmp_path / "sink.key").write_text(key, encoding="utf-8")
    rotation = Rotation(topics)
    assert not rotation.take_over()
    assert caplog.text == ""
    for _ in range(3):
        assert not rotation.take_over()
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == (
        f"{tmp_path}/sink.key (ssl.key.location) is not the key of {tmp_path}/sink.pem "
        "(ssl.certificate.location); the sink keeps the earlier settings"
    )


def test_who_waits_for_a_change_can_be_stopped(topics: Topics) -> None:
    """At once."""
    stopping = threading.Event()
    stopping.set()
    assert not Rotation(topics).await_change(60, stopping)
