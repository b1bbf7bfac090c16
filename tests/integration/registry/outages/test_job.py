"""A job and its registry: killed, hung, slow, guarded, full of others. Every run is delivered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.messages.records import make_record
from support.messages.topics import first_bytes, values
from support.servers.certificates import Authority
from support.servers.registry import (
    Door,
    Registry,
    door,
    running_registry,
    server_context,
    silent_server,
    wait_for,
)

from conformare.cli import main
from conformare.emission import KafkaWriter
from conformare.emission.registry import _ids as ids_module
from conformare.emission.registry._ids import FIRST_LOOK_SECONDS
from conformare_schemas import confluent_id
from conformare_schemas.registry import released_ids
from conformare_sink.kafka.topics import Topics

pytestmark = pytest.mark.long

MakeJob = Callable[..., KafkaWriter]
KEY_PASSWORD = "a-password"  # noqa: S105 - made up
BY_ID, BY_FINGERPRINT = b"\0", b"\xc3"
DELIVERY_SECONDS = 30
LONGEST_CALL_SECONDS = 5.0
"""A call that waits for a registry would take longer: for its first answer, or for a time-out."""


@pytest.fixture
def guarded(registry: Registry) -> Iterator[Door]:
    """A door in front of the registry."""
    with door(registry) as one:
        yield one


def deliver(job: KafkaWriter, run_id: str) -> float:
    """Record a run, see it delivered, and return how long the call took."""
    began = time.monotonic()
    job.write(make_record(run_id, rows={"risks": 1}))
    took = time.monotonic() - began
    assert job.flush(DELIVERY_SECONDS) == 0
    assert took < LONGEST_CALL_SECONDS
    return took


def has_ids(job: KafkaWriter) -> bool:
    """Whether a job knows ids by now."""
    return job._courier._ids is not None and bool(job._courier._ids._ids)


def deliver_by_id(job: KafkaWriter, run_id: str) -> None:
    """Deliver a run when its ids are known, which takes as long as the registry does."""
    deliver(job, f"{run_id}-at-once")
    wait_for(lambda: has_ids(job), DELIVERY_SECONDS)
    deliver(job, run_id)


def framings(topics: Topics, topic_prefix: str) -> Counter[bytes]:
    """How many messages have which framing."""
    return Counter(first_bytes(topics.bootstrap_servers, topic_prefix))


def test_ids_outlive_the_registry(
    make_job: MakeJob,
    topics: Topics,
    topic_prefix: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed, hung: a new process has them from the disk, and waits for nothing."""
    with running_registry(tmp_path_factory.mktemp("mortal")) as mortal:
        command = ["--schema-registry-url", mortal.url, "--topic-prefix", topic_prefix]
        assert main(["schemas", "register", *command]) == 0
        deliver_by_id(make_job(mortal.url), "before")
        before = framings(topics, topic_prefix)
        # Whoever waited for a first answer now would not deliver in time.
        monkeypatch.setattr(ids_module, "FIRST_LOOK_SECONDS", 2.0 * DELIVERY_SECONDS)
        mortal.hang()
        deliver(make_job(mortal.url), "hung")
        mortal.go_on()
        mortal.kill()
        deliver(make_job(mortal.url), "killed")
    assert framings(topics, topic_prefix) - before == {BY_ID: 4}


def test_a_registry_that_never_answered_delays_the_first_run_alone(
    make_job: MakeJob, topics: Topics, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its sending, not its call; afterwards nothing."""
    with silent_server() as url:
        job = make_job(url)
        deliver(job, "first")
        began = time.monotonic()
        for number in range(20):
            deliver(job, f"then-{number}")
        assert time.monotonic() - began < 20 * FIRST_LOOK_SECONDS
    assert framings(topics, topic_prefix) == {BY_FINGERPRINT: 42}
    assert caplog.text.count("single-object encoding") == 1


def test_a_slow_registry_is_waited_for_once_and_used_when_it_has_answered(
    make_job: MakeJob, topics: Topics, topic_prefix: str, registered: str, guarded: Door
) -> None:
    """A third of a second for each answer: all of them take longer than the first run waits."""
    assert registered
    guarded.seconds = 0.3
    job = make_job(guarded.url)
    deliver(job, "too-early")
    wait_for(lambda: has_ids(job), DELIVERY_SECONDS)
    deliver(job, "later")
    assert framings(topics, topic_prefix) == {BY_FINGERPRINT: 2, BY_ID: 2}


@pytest.mark.parametrize(
    ("wanted", "settings"),
    [
        ("Basic dXNlcjpwYXNz", {"basic.auth.user.info": "user:pass"}),
        ("Bearer a-token", {"bearer.auth.token": "a-token"}),
    ],
)
def test_a_guarded_registry_lets_in_whoever_logs_in(
    make_job: MakeJob,
    topics: Topics,
    topic_prefix: str,
    registered: str,
    guarded: Door,
    caplog: pytest.LogCaptureFixture,
    wanted: str,
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    """A wrong password is told without what it was, and the run is delivered all the same."""
    assert registered
    guarded.wanted = wanted
    wrong = {name: f"{value}-wrong" for name, value in settings.items()}
    deliver(make_job(guarded.url, schema_registry=wrong), "wrong")
    wait_for(lambda: "does not let us in (HTTP 401)" in caplog.text, DELIVERY_SECONDS)
    assert "wrong" not in caplog.text
    assert framings(topics, topic_prefix) == {BY_FINGERPRINT: 2}
    deliver_by_id(make_job(guarded.url, schema_registry=settings), "right")
    assert framings(topics, topic_prefix)[BY_ID] >= 2

    file = tmp_path / "registry.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    command = ["--schema-registry-url", guarded.url, "--topic-prefix", topic_prefix]
    assert main(["schemas", "check", *command]) == 1
    assert main(["schemas", "check", *command, "--schema-registry-settings", str(file)]) == 0


def test_tls_in_both_directions(
    make_job: MakeJob,
    topics: Topics,
    topic_prefix: str,
    registry: Registry,
    registered: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without a certificate, nobody is let in; nor is a registry believed that nobody vouches for."""
    assert registered
    authority = Authority(tmp_path)
    certificate, key = authority.certify("client", password=KEY_PASSWORD)
    with door(registry, server_context(authority)) as secured:
        trusting = {"ssl.ca.location": str(authority.file)}
        deliver(make_job(secured.url), "no-authority")
        deliver(make_job(secured.url, schema_registry=trusting), "no-certificate")
        assert framings(topics, topic_prefix) == {BY_FINGERPRINT: 4}
        wait_for(lambda: "does not answer" in caplog.text, DELIVERY_SECONDS)
        shown = {
            **trusting,
            "ssl.certificate.location": str(certificate),
            "ssl.key.location": str(key),
            "ssl.key.password": KEY_PASSWORD,
        }
        deliver_by_id(make_job(secured.url, schema_registry=shown), "known")
    assert framings(topics, topic_prefix)[BY_ID] >= 2


@pytest.mark.parametrize("strategy", ["RecordName", "TopicRecordName"])
def test_other_strategies_among_many_other_schemas(
    make_job: MakeJob, topics: Topics, topic_prefix: str, registry: Registry, strategy: str
) -> None:
    """Ids are those of our own subjects; a grain without one keeps its fingerprint."""
    registry.fill(50)
    command = ["--schema-registry-url", registry.url, "--topic-prefix", topic_prefix]
    chosen = ["--schema-registry-subject-strategy", strategy]
    assert main(["schemas", "register", *command, *chosen]) == 0
    deliver_by_id(make_job(registry.url, schema_registry_subject_strategy=strategy), "by-record")
    record = "conformare.RunsMessage"
    subject = record if strategy == "RecordName" else f"{topic_prefix}runs-{record}"
    ids = set(released_ids(registry.client(), subject))
    found = {confluent_id(one) for one in values(topics.bootstrap_servers, topic_prefix)}
    assert ids < found


def test_a_registry_without_our_schemas_is_told_once(
    make_job: MakeJob,
    topics: Topics,
    topic_prefix: str,
    registry: Registry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is registered by a job."""
    job = make_job(registry.url)
    deliver(job, "unregistered")
    deliver(job, "again")
    assert framings(topics, topic_prefix) == {BY_FINGERPRINT: 4}
    wait_for(lambda: "`conformare schemas register` adds" in caplog.text, DELIVERY_SECONDS)
    assert caplog.text.count("`conformare schemas register` adds") == 1
    assert registry.client().versions(f"{topic_prefix}runs-value") == []


def test_a_subject_that_holds_something_else_is_told(
    registry: Registry, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By check and by register."""
    other = '{"type": "record", "name": "Other", "fields": [{"name": "a", "type": "int"}]}'
    registry.client().register(f"{topic_prefix}runs-value", other)
    registry.require_compatibility(f"{topic_prefix}runs-value")
    command = ["--schema-registry-url", registry.url, "--topic-prefix", topic_prefix]
    assert main(["schemas", "check", *command]) == 1
    assert "the subject holds something that it does not go with" in capsys.readouterr().out
    assert main(["schemas", "register", *command]) == 1
    assert f"{topic_prefix}runs-value holds something" in capsys.readouterr().err
