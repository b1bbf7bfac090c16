"""What a job shows to brokers is shown by doctor as well, and printed by nobody."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from conformare_schemas.registry import RegistryAccess
from conformare_schemas.settings import read_config_file, use_config_file
from conformare_sink.doctor.job_access import access_of_job, registry_of_job
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import ANYBODY

VARIABLE = "CONFORMARE_KAFKA"
PASSWORD = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanisms": "PLAIN",
    "sasl.username": "job",
    "sasl.password": "hunter2",
}


def test_a_job_without_options_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one whose variable is empty."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert access_of_job() is ANYBODY
    monkeypatch.setenv(VARIABLE, " ")
    assert access_of_job() is ANYBODY


def test_a_configuration_file_has_them_as_well(tmp_path: Path) -> None:
    """A job reads it, too."""
    file = tmp_path / "conformare.toml"
    file.write_text(
        "[kafka]\n" + "".join(f'"{name}" = "{value}"\n' for name, value in PASSWORD.items()),
        encoding="utf-8",
    )
    file.chmod(0o600)
    with use_config_file(read_config_file(file)):
        assert access_of_job().mechanism == "PLAIN"


def test_what_a_writer_logs_in_with_is_taken_and_what_it_sends_by_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has two names for the mechanism."""
    monkeypatch.setenv(VARIABLE, json.dumps({**PASSWORD, "linger.ms": 50}))
    found = access_of_job()
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
def test_what_is_wrong_is_told_without_the_secret(
    text: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the chain have it."""
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(KafkaSettingsError, match=told) as caught:
        access_of_job()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value).startswith(f"kafka ({VARIABLE})")


def test_a_registry_is_shown_what_a_job_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is told without the secret."""
    registry = RegistryAccess(url="http://registry:8081")
    assert registry_of_job(registry) == registry
    monkeypatch.setenv("CONFORMARE_SCHEMA_REGISTRY", '{"basic.auth.user.info": "job:hunter2"}')
    info = registry_of_job(registry).user_info
    assert info is not None
    assert info.get_secret_value() == "job:hunter2"
    monkeypatch.setenv("CONFORMARE_SCHEMA_REGISTRY", '{"basic.auth.user.info": "hunter2"}')
    with pytest.raises(KafkaSettingsError, match="must be user:password") as caught:
        registry_of_job(registry)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
