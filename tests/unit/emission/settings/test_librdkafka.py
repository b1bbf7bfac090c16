"""Which settings of librdkafka a job may choose: every one is ours, refused, bounded or free."""

from __future__ import annotations

import socket
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from support.jobs import librdkafka
from support.jobs.writers import NOWHERE

import conformare as cf
from conformare import StoreConfigurationError
from conformare.emission import KafkaOptions
from conformare.emission.settings._librdkafka import BOUNDED, FOR_TESTS, FREE, OURS, REFUSED
from conformare.writers import make_writer

TABLES = (FREE, OURS.keys(), REFUSED.keys(), BOUNDED.keys(), FOR_TESTS)

SECONDS_THAT_LIBRDKAFKA_WAITS = 20

SYNONYMS = [
    ("acks", "request.required.acks"),
    ("retries", "message.send.max.retries"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
]


def refused(kafka: dict[str, Any]) -> str:
    """Return what a job is told that chooses something."""
    with pytest.raises(StoreConfigurationError) as caught:
        make_writer({"writer": "kafka", "bootstrap_servers": NOWHERE, "kafka": kafka})
    return str(caught.value)


def names_of(name: str) -> set[str]:
    """Return all names of a setting."""
    return {name}.union(*(pair for pair in SYNONYMS if name in pair))


def test_every_setting_of_the_installed_librdkafka_is_in_one_table(tmp_path: Path) -> None:
    """A new one is to be thought about before a job can choose it."""
    known = librdkafka.producer_settings(tmp_path) | librdkafka.OF_CONFLUENT
    assert set().union(*TABLES) == known | FOR_TESTS
    assert not [one & other for one, other in combinations(TABLES, 2) if one & other]
    for one, other in SYNONYMS:
        assert BOUNDED[one] is BOUNDED[other]


def test_the_table_for_users_says_the_same() -> None:
    """`python -m support.jobs.librdkafka` writes it anew."""
    document = librdkafka.TABLE.document
    assert librdkafka.TABLE.written(document) == document


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("acks", [0, 1, "0", "1", 2, "-2", "", None, "0x0", "00", "leader", "all ", False, b"0"]),
        ("enable.idempotence", [False, "false", "False", "F", 0, "0", None, "no"]),
        ("retries", [0, "0", "-1", "0x0", "00", 0.0, 2**31, 2**32, None]),
        ("message.timeout.ms", [1, 5_000, "300000", 2**31 - 1, "-1", None, "0x5"]),
        ("enable.gapless.guarantee", [True, "true", 1]),
        ("max.in.flight", [6, "1000000", 0]),
        ("partitioner", ["random", "", None]),
        ("queuing.strategy", ["lifo"]),
        ("api.version.request", [False, "0"]),
        ("queue.buffering.max.kbytes", [0, 1, 976, "0x1", "01", "1 ", 2**32 + 1, None]),
        ("queue.buffering.backpressure.threshold", [2]),
    ],
)
def test_what_loses_runs_is_refused_by_name(name: str, values: list[Any]) -> None:
    """However it is written, under its other name too."""
    for alias in names_of(name):
        for value in values:
            assert f"{alias} must be " in refused({alias: value})
            # What stands beside it is no excuse.
            assert f"{alias} must be " in refused({"linger.ms": 5, alias: value, "client.id": "x"})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("acks", ["all", "ALL", -1, "-1"]),
        ("enable.idempotence", [True, "true", "t", 1]),
        ("retries", [1, "2147483647"]),
        ("message.timeout.ms", [0, "0"]),
        ("max.in.flight", [1, "5"]),
        ("partitioner", ["murmur2_random", "consistent", "fnv1a"]),
        ("queuing.strategy", ["fifo"]),
        ("enable.gapless.guarantee", [False]),
        ("queue.buffering.max.kbytes", [977, "2097151"]),
    ],
)
def test_what_keeps_them_may_be_said(name: str, values: list[Any]) -> None:
    """Librdkafka takes it, under its other name too."""
    for alias in names_of(name):
        for value in values:
            assert alias in KafkaOptions(bootstrap_servers=NOWHERE, kafka={alias: value}).kafka


@pytest.mark.parametrize("name", [*OURS, *REFUSED])
def test_what_cannot_be_chosen_is_told_with_its_reason(name: str) -> None:
    """Whatever its value is."""
    for value in ("x", 1, None, {"acks": 0}, print):
        assert {**OURS, **REFUSED}[name] in refused({name: value})


def test_several_mistakes_are_told_at_once() -> None:
    """And a job that has made one goes on without a store."""
    told = refused({"acks": 0, "transactional.id": "secret", "retries": 0})
    assert all(f"{name} " in told for name in ("acks", "transactional.id", "retries"))
    assert "secret" not in told
    with pytest.raises(StoreConfigurationError, match="acks must be all"):
        cf.configure_store(writer="kafka", bootstrap_servers=NOWHERE, kafka={"acks": 0})


def test_the_environment_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """By `CONFORMARE_KAFKA`."""
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"acks": 1}')
    with pytest.raises(StoreConfigurationError, match="acks must be all"):
        make_writer({"writer": "kafka", "bootstrap_servers": NOWHERE})


@pytest.mark.parametrize(
    ("name", "hint"),
    [("hunter2-correct-horse", None), ("sasl.pasword", "sasl.password"), ("group.id", None)],
)
def test_an_unknown_name_is_not_quoted(name: str, hint: str | None) -> None:
    """It may be a secret that has got into the wrong place."""
    told = refused({name: "x"})
    assert "No such configuration property of a producer" in told
    assert name not in told
    assert (f"did you mean {hint}?" in told) == (hint is not None)


def test_a_queue_takes_the_largest_message() -> None:
    """What does not fit it would be rejected."""
    kafka = {"queue.buffering.max.kbytes": 4_000}
    KafkaOptions(bootstrap_servers=NOWHERE, max_message_bytes=4_000_000, kafka=kafka)
    with pytest.raises(ValueError, match=r"a number that holds max_message_bytes \(5000000\)"):
        KafkaOptions(bootstrap_servers=NOWHERE, max_message_bytes=5_000_000, kafka=kafka)


LOG_IN = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"}


def test_a_function_that_gives_tokens_is_not_waited_for() -> None:
    """Its service may be away when the job begins: runs wait for it, as for a broker."""

    def token(_config: str) -> tuple[str, float]:
        raise AssertionError("asked for a token")

    kafka = {**LOG_IN, "oauth_cb": token}
    assert KafkaOptions(bootstrap_servers=NOWHERE, kafka=kafka).as_librdkafka()["oauth_cb"] is token
    assert "oauth_cb must be a function" in refused({**kafka, "oauth_cb": "x"})


def test_a_silent_service_that_gives_tokens_is_not_waited_for() -> None:
    """Librdkafka asks it, and waits for its answer before it ends."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kafka = {
            **LOG_IN,
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "job",
            "sasl.oauthbearer.client.secret": "secret",
            "sasl.oauthbearer.token.endpoint.url": f"http://127.0.0.1:{silent.getsockname()[1]}/",
        }
        began = time.monotonic()
        KafkaOptions(bootstrap_servers=NOWHERE, kafka=kafka)
        assert time.monotonic() - began < SECONDS_THAT_LIBRDKAFKA_WAITS / 2
