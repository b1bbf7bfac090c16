"""The Kafka writer's options: what passes through to librdkafka, and what is told of a mistake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from conformare import StoreConfigurationError
from conformare.emission import KafkaOptions
from conformare.emission.spool import default_spool_folder
from conformare.writers import make_writer

BROKER = "127.0.0.1:1"
SECRET = "correct horse battery"  # noqa: S105 - made up


def options(**given: Any) -> KafkaOptions:
    """Return options with a broker."""
    return KafkaOptions.model_validate({"bootstrap_servers": BROKER, **given})


def test_any_option_of_librdkafka_passes_through() -> None:
    """Texts in clear, and over our own defaults."""
    passed = {"linger.ms": 50, "sasl.password": SECRET, "client.id": "mine"}
    settings = options(kafka=passed).as_librdkafka()
    assert {name: settings[name] for name in passed} == {**passed, "linger.ms": "50"}
    assert settings["bootstrap.servers"] == BROKER
    assert settings["message.timeout.ms"] == 0


def test_secrets_are_in_no_text() -> None:
    """Neither of the options nor of what they are made of."""
    lake = f"s3://key:{SECRET}@bucket/lake"
    shown = options(kafka={"sasl.password": SECRET, "ssl.key.password": 12345678}, lake=lake)
    for text in (f"{shown!r} {shown!s}", str(shown.model_dump()["kafka"])):
        assert SECRET not in text
        assert "12345678" not in text
        assert "sasl.password" in text


@pytest.mark.parametrize(
    ("kafka", "told"),
    [
        ({"no.such.option": SECRET}, "No such configuration property"),
        ({"compression.type": SECRET}, "compression.codec"),
        ({"bootstrap.servers": "b:1"}, "bootstrap.servers cannot be passed through: set bootstrap"),
        ({"metadata.broker.list": "b:1"}, "metadata.broker.list cannot be passed through: set"),
        ({"error_cb": print}, "error_cb cannot be passed through: it is needed"),
        ({"acks": "1"}, "acks must be all: a run that counts as delivered could be lost"),
    ],
)
def test_a_wrong_option_of_librdkafka_is_refused_at_once(kafka: dict[str, Any], told: str) -> None:
    """With its name, and without its value."""
    with pytest.raises(StoreConfigurationError, match=told) as caught:
        make_writer({"writer": "kafka", "bootstrap_servers": BROKER, "kafka": kafka})
    assert SECRET not in str(caught.value)
    assert SECRET not in str(caught.value.__cause__)


def test_options_are_frozen() -> None:
    """One store has one writer, which is found by them."""
    with pytest.raises(ValidationError, match="frozen"):
        options().topic_prefix = "x"  # type: ignore[misc]  # the mistake


def test_every_option_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A structured one as JSON."""
    given = {
        "BOOTSTRAP_SERVERS": BROKER,
        "TOPIC_PREFIX": "p.",
        "DURABILITY": "memory",
        "SPOOL_DIR": str(tmp_path),
        "SPOOL_MAX_BYTES": "1000",
        "SPOOL_MAX_AGE": "3600",
        "MAX_MESSAGE_BYTES": "5000",
        "EXIT_TIMEOUT_SECONDS": "0",
        "STRICT": "true",
        "WARN_ON_SOURCE": "true",
        "LAKE": "/lake",
        "KAFKA": '{"linger.ms": 50}',
        "SCHEMA_REGISTRY_URL": "http://registry:8081",
        "SCHEMA_REGISTRY_SUBJECT_STRATEGY": "RecordName",
        "SCHEMA_REGISTRY": '{"basic.auth.user.info": "user:password"}',
    }
    # `writer` has chosen these options, and a session is no text.
    assert {name.lower() for name in given} == set(KafkaOptions.model_fields) - {"writer", "spark"}
    for name, value in given.items():
        monkeypatch.setenv(f"CONFORMARE_{name}", value)
    made: Any = make_writer({"writer": "kafka"})
    assert made.options == options(
        topic_prefix="p.",
        durability="memory",
        spool_dir=tmp_path,
        spool_max_bytes=1000,
        spool_max_age=timedelta(hours=1),
        max_message_bytes=5000,
        exit_timeout_seconds=0,
        strict=True,
        warn_on_source=True,
        lake="/lake",
        kafka={"linger.ms": 50},
        schema_registry_url="http://registry:8081",
        schema_registry_subject_strategy="RecordName",
        schema_registry={"basic.auth.user.info": "user:password"},
    )


def test_a_spool_is_where_it_was_when_it_was_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A job may change its working folder, and `~` is the user's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert options(spool_dir="spool").spool_folder == tmp_path / "spool"
    assert options(spool_dir="~/spool").spool_folder == tmp_path / "home/spool"
    assert options(spool_max_age="P30D").spool_max_age == timedelta(days=30)


def test_the_spool_is_in_the_platforms_folder_for_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the XDG Base Directory Specification says, which ignores relative paths."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_spool_folder() == Path("/state/conformare/spool")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_spool_folder() == tmp_path / ".local/state/conformare/spool"
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_spool_folder() == tmp_path / "Library/Application Support/conformare/spool"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_spool_folder() == tmp_path / "local/conformare/spool"


@pytest.mark.parametrize("servers", ["b:1\n", " b:1,c:2 ", "\tb:1"])
def test_blanks_around_the_brokers_are_none_of_their_names(servers: str) -> None:
    """A file that holds a setting often ends in a line break."""
    assert options(bootstrap_servers=servers).bootstrap_servers == servers.strip()


@pytest.mark.parametrize("servers", ["", " ", "b:1,\n c:2", "b\0:1", f"sasl_ssl://u:{SECRET}@b:1"])
def test_brokers_that_no_file_of_the_spool_could_name_are_refused(servers: str) -> None:
    """Their runs would be taken for a stranger's when they are read again."""
    with pytest.raises(StoreConfigurationError, match="must be host:port") as caught:
        make_writer({"writer": "kafka", "bootstrap_servers": servers})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"spool_dir": "a\0b"}, "spool_dir: .* no path can have"),
        ({"spool_dir": ""}, "spool_dir: .* must name a folder"),
        ({"spool_dir": " \t"}, "spool_dir: .* must name a folder"),
        ({"spool_dir": "~nobody-of-that-name/x"}, "spool_dir: .* has no home"),
        ({"kafka": {"sasl.password": f"{SECRET}\ud800"}}, "text that UTF-8 can carry"),
        ({"kafka": {"sasl.password": f"{SECRET}\0x"}}, "without NUL"),
    ],
)
def test_what_nothing_can_be_done_with_is_refused_at_once(given: dict[str, Any], told: str) -> None:
    with pytest.raises(StoreConfigurationError, match=told) as caught:
        make_writer({"writer": "kafka", "bootstrap_servers": BROKER, **given})
    assert SECRET not in str(caught.value)
