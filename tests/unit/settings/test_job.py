"""A job's settings: keywords, then the environment, then the file that was named."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import conformare as cf
from conformare._stores import reset_store_config, state_of_stores
from conformare.emission import KafkaOptions
from conformare.writers import writer_options

Write = Callable[[str], Path]
SECRET = "correct-horse-battery"  # noqa: S105 - made up


@pytest.fixture(autouse=True)
def no_store() -> Iterator[None]:
    """Each test begins and ends without one."""
    reset_store_config()
    yield
    reset_store_config()


@pytest.fixture
def name(write: Write, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file and names it."""

    def named(text: str) -> Path:
        file = write(text)
        monkeypatch.setenv("CONFORMARE_CONFIG", str(file))
        return file

    return named


def test_a_run_is_recorded_where_the_file_says(name: Write, tmp_path: Path) -> None:
    """No call configures a store."""
    name(f'writer = "json"\npath = "{tmp_path}/runs"')
    cf.record_run("orders", run_id="1")
    assert json.loads((tmp_path / "runs/orders/1.json").read_text())["runs"][0]["run_id"] == "1"


def test_a_file_in_the_working_folder_is_no_store(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the sink's, or anybody's."""
    monkeypatch.chdir(write('writer = "none"').parent)
    with pytest.raises(cf.StoreNotConfiguredError):
        cf.record_run("orders")


def test_keywords_win_then_the_environment(name: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the file, whose tables are a keyword's dicts."""
    name(
        'writer = "kafka"\nbootstrap_servers = "file:1"\ntopic_prefix = "file."\n'
        'exit_timeout_seconds = 1\nspool_max_age = 86400\n[kafka]\n"linger.ms" = 7'
    )
    monkeypatch.setenv("CONFORMARE_TOPIC_PREFIX", "environment.")
    options = writer_options({"bootstrap_servers": "keyword:1"})
    assert isinstance(options, KafkaOptions)
    assert options.bootstrap_servers == "keyword:1"
    assert options.topic_prefix == "environment."
    assert options.exit_timeout_seconds == 1
    assert options.spool_max_age is not None
    assert options.spool_max_age.days == 1
    assert options.as_librdkafka()["linger.ms"] == "7"


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_variable_names_no_store(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if it were not there."""
    monkeypatch.setenv("CONFORMARE_WRITER", text)
    with pytest.raises(cf.StoreNotConfiguredError):
        cf.record_run("orders")


def test_what_only_python_can_give_is_not_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A text is no session of Spark."""
    monkeypatch.setenv("CONFORMARE_SPARK", "local")
    options = writer_options({"writer": "kafka", "bootstrap_servers": "broker:9092"})
    assert isinstance(options, KafkaOptions)
    assert options.spark is None


def test_a_file_may_be_shared_with_the_sink(name: Write, tmp_path: Path) -> None:
    """What is not a writer's is left alone, even where it could not be used here."""
    name(f'writer = "json"\npath = "{tmp_path}"\nlake = "/lake"\nkafka_settings = "/not/here"')
    cf.record_run("orders", run_id="1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wirter = 'none'", "wirter is no setting; did you mean writer?"),
        ("writer = 1", "writer: Input should be a valid string"),
        (
            'writer = "kafka"\nbootstrap_servers = "b:1"\nstrict = 1',
            "strict: Input should be a valid",
        ),
        ("writer = ", "is no TOML"),
    ],
)
def test_what_is_wrong_is_told_at_the_first_run(text: str, told: str, name: Write) -> None:
    """In one line, with the file."""
    file = name(text)
    with pytest.raises(cf.StoreConfigurationError, match=f"^{file}.*{told}") as caught:
        cf.record_run("orders")
    assert "\n" not in str(caught.value)


def test_a_read_is_not_failed_by_a_file(name: Write) -> None:
    """It asks only whether it is to warn."""
    name("wirter = 'none'")
    assert state_of_stores() is None
    name('writer = "none"')
    assert state_of_stores() is None
    name('writer = "none"\nwarn_on_source = true')
    assert state_of_stores() is not None


def test_a_secret_that_others_can_read_is_logged_without_its_value(
    name: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each store that is made."""
    file = name(
        'writer = "kafka"\nbootstrap_servers = "127.0.0.1:1"\n[kafka]\n'
        f'"sasl.password" = "{SECRET}"\n"test.mock.num.brokers" = 1'
    )
    file.chmod(0o644)
    with caplog.at_level(logging.WARNING, "conformare"):
        cf.configure_store()
    assert caplog.messages == [
        f"conformare: {file} holds secrets (kafka) and others can read it: chmod 600 {file}"
    ]
