"""A secret among the options of a writer is in no text, whatever it is the value or the name of."""

from __future__ import annotations

import logging
import string
import traceback
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from conformare import StoreConfigurationError
from conformare.emission import KafkaOptions
from conformare.emission.settings._hidden_values import hidden, revealed
from conformare.writers import make_writer

BROKER = "127.0.0.1:1"
# Its ends are in nothing that we say ourselves.
SECRETS = st.text(string.ascii_letters + string.digits + string.punctuation, max_size=20).map(
    lambda text: f"Q9{text}9Q"
)
TO_VALUE: dict[str, Any] = {
    "text": str,
    "bytes": str.encode,
    "array": lambda secret: bytearray(secret.encode()),
    "list": lambda secret: [secret],
    "mapping": lambda secret: {secret: secret},
    "function": lambda secret: partial(print, secret),
    "hidden": SecretStr,
}


def told(kafka: dict[Any, Any], **more: Any) -> str:
    """Return all that is told of options, or of the error that they are."""
    config: dict[str, Any] = {"writer": "kafka", "bootstrap_servers": BROKER, "kafka": kafka}
    try:
        writer: Any = make_writer({**config, **more})
    except StoreConfigurationError as exc:
        return "".join(traceback.format_exception(exc))
    options: KafkaOptions = writer.options
    return f"{options!r} {options} {options.kafka} {writer!r}"


def assert_unseen(text: str) -> None:
    """Assert that no end of a secret is in a text."""
    assert "Q9" not in text
    assert "9Q" not in text


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SECRETS, st.sampled_from(sorted(TO_VALUE)), st.data())
def test_a_secret_is_in_no_text(
    caplog: pytest.LogCaptureFixture, secret: str, kind: str, data: st.DataObject
) -> None:
    value = TO_VALUE[kind](secret)
    names = st.sampled_from(
        ["sasl.password", "compression.type", "oauth_cb", "no.such", "linger.ms"]
    )
    name = data.draw(names)
    with caplog.at_level(logging.DEBUG):
        assert_unseen(told({name: value}))
        assert_unseen(told({"linger.ms": 5, secret: "x"}))
        assert_unseen(told({secret: value}))
        assert_unseen(told({}, **{secret: "x"}))
        assert_unseen(told({}, lake=f"s3://key:{secret}@bucket/lake"))
    assert_unseen(caplog.text)


@pytest.mark.parametrize("writer", ["json", "parquet"])
def test_the_folder_of_a_writer_is_in_no_text(writer: str) -> None:
    made: Any = make_writer({"writer": writer, "path": "s3://key:Q99Q@bucket/x"})
    assert_unseen(f"{made!r} {getattr(made, 'options', made)!r}")


def test_values_are_revealed_as_they_were() -> None:
    """Bytes as the text that librdkafka takes; numbers too."""
    shown = print
    for value, clear in [("a", "a"), (b"a", "a"), (5, "5"), (True, True), (shown, shown)]:
        once = hidden({"a": value})
        assert revealed(once["a"]) == revealed(hidden(once)["a"]) == clear
    options = KafkaOptions.model_validate(
        {"bootstrap_servers": BROKER, "kafka": {"sasl.password": b"p", "enable.idempotence": True}}
    )
    assert options.as_librdkafka()["sasl.password"] == "p"
    assert "True" in repr(options)


def test_bytes_that_are_no_text_are_refused_without_quoting_them() -> None:
    for kafka in ({"sasl.password": b"Q9\xff9Q"}, {"Q99Q": b"\xff"}, {b"Q9\xff9Q": "x"}):
        text = told(kafka)
        assert "kafka: bytes must be text in UTF-8" in text
        assert_unseen(text)
    text = told({("Q9", "9Q"): "x"})
    assert "kafka: the name of an option must be text" in text
    assert_unseen(text)


def test_a_name_may_be_bytes() -> None:
    kafka = {b"sasl.password": "Q99Q"}
    assert "sasl.password" in told(kafka)
    assert_unseen(told(kafka))


@pytest.mark.parametrize("value", ["Q9", "9Q", "Q99Q"])
def test_librdkafka_quotes_no_value_however_short_it_is(value: str) -> None:
    text = told({"compression.type": value})
    assert "compression.codec" in text
    assert_unseen(text)


def test_a_slip_in_the_name_of_an_option_is_told() -> None:
    """By its place and by what it is like; what was given may be a secret that is like a name."""
    meant = "unknown option (number 4 of those given; did you mean bootstrap_servers?) for"
    assert meant in told({}, boostrap_servers="b")
    assert "(number 4 of those given)" in told({}, hunter2="b")
    for secret in ("Q9BOOSTRAP9Q", "Q9topic_prefix9Q", "Q9sp9Q"):
        text = told({}, **{secret: "x"})
        assert "(number 4 of those given" in text
        assert_unseen(text)
    assert "did you mean linger.ms?" in told({"linge.ms": 5})
