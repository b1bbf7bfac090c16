"""What a job shows to brokers is shown by doctor as well, and printed by nobody."""

from __future__ import annotations

import json

import pytest

from conformare_sink.doctor.job_access import VARIABLE, access_of_job
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY

PASSWORD = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanisms": "PLAIN",
    "sasl.username": "job",
    "sasl.password": "hunter2",
}


def test_a_job_without_options_shows_nothing() -> None:
    """Nor does one whose variable is empty."""
    assert access_of_job({}) is ANYBODY
    assert access_of_job({VARIABLE: " "}) is ANYBODY


def test_what_a_writer_logs_in_with_is_taken_and_what_it_sends_by_is_left() -> None:
    """It has two names for the mechanism."""
    found = access_of_job({VARIABLE: json.dumps({**PASSWORD, "linger.ms": 50})})
    assert found.for_librdkafka() == {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "job",
        "sasl.password": "hunter2",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"sasl.password": "hunter2"', "is no object in JSON"),
        ('["hunter2"]', "is no object in JSON"),
        (json.dumps({**PASSWORD, "sasl.mechanisms": "GSSAPI"}), "sasl.mechanism must be one of"),
        (json.dumps({**PASSWORD, "security.protocol": "hunter2"}), "security.protocol must be"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(text: str, told: str) -> None:
    """Nor does the chain have it."""
    with pytest.raises(KafkaSettingsError, match=told) as caught:
        access_of_job({VARIABLE: text})
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith(VARIABLE)
