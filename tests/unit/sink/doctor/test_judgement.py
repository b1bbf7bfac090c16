"""What is to be mended, by what was found: nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from confluent_kafka.admin._acl import AclOperation

from conformare_schemas.findings import Finding, Role, State
from conformare_schemas.registry import RegistryAccess
from conformare_sink.doctor import registry
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.brokers import clock, rights, topics
from conformare_sink.doctor.lakes import tables
from conformare_sink.doctor.lakes.tables import BEHIND_FILES, DUE_FILES, Look
from conformare_sink.doctor.skew import MOST_SKEW, judge
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.topic_check import TopicState
from conformare_sink.lake.writer.look import Writer
from conformare_sink.options import StorageSettings

ASKED = SinkAsked(Role.SINK, "broker:9092", "conformare.", lake="/a lake")
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
SOUND = {
    "cleanup.policy": "delete",
    "retention.ms": str(365 * 24 * 3600 * 1000),
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "1048588",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    "compression.type": "producer",
}
RUNS = TopicState("conformare.runs", replicas=(3, 3), in_sync=(3, 3), settings=SOUND)


def told(findings: Iterable[Finding]) -> list[tuple[State, str]]:
    """What was found, without the part."""
    return [(one.state, one.line) for one in findings]


def test_sound_topics_are_one_good_line() -> None:
    """With what an operator wants to know of them."""
    assert told(topics.judge(ASKED, [RUNS], 3)) == [
        (
            State.GOOD,
            "1 topics conformare.*: 2 partition(s) each, kept for 365 day(s), LogAppendTime",
        )
    ]


def test_missing_topics_come_with_the_command_that_makes_them() -> None:
    """With the file by which the brokers are reached, so that it can be pasted."""
    access = KafkaAccess(file=Path("/a file"))
    asked = replace(ASKED, access=access, topic_prefix="mine.")
    ((state, line),) = told(topics.judge(asked, [TopicState("mine.runs")], 3))
    assert state is State.MEND
    assert line.startswith(
        "broker:9092 has no topic mine.runs: call `conformare topics create --bootstrap-servers "
        "broker:9092 --kafka-settings '/a file' --topic-prefix mine.`"
    )


def test_a_wrong_setting_is_told_with_why_and_how() -> None:
    """And with the topics that have it; a fault leaves no good line."""
    settings = {**SOUND, "message.timestamp.type": "CreateTime"}
    many = [replace(RUNS, name=f"conformare.{name}", settings=settings) for name in "edcba"]
    ((state, line),) = told(topics.judge(ASKED, many, 3))
    assert state is State.MEND
    assert line.startswith(
        "message.timestamp.type of conformare.a, conformare.b, conformare.c and 2 more is CreateTime, "
        "and must be LogAppendTime. Otherwise a job whose clock is wrong"
    )
    assert line.endswith(
        "change it by `kafka-configs --bootstrap-server broker:9092 --alter --entity-type topics "
        "--entity-name conformare.a --add-config message.timestamp.type=LogAppendTime`, and so for each "
        "of them"
    )


@pytest.mark.parametrize(
    ("setting", "wrong", "mended"),
    [
        ("retention.ms", "3600000", "604800000"),
        ("cleanup.policy", "compact", "delete"),
        ("min.insync.replicas", "1", "2"),
        ("min.insync.replicas", "3", "2"),
        ("min.insync.replicas", "4", "2"),
        ("max.message.bytes", "1000", "1000000"),
    ],
)
def test_the_command_sets_what_is_needed(setting: str, wrong: str, mended: str) -> None:
    """It can be pasted."""
    topic = replace(RUNS, settings={**SOUND, setting: wrong})
    lines = [line for _, line in told(topics.judge(ASKED, [topic], 3))]
    assert any(line.endswith(f"--add-config {setting}={mended}`") for line in lines), lines


def test_advice_is_no_fault() -> None:
    """One broker cannot keep three replicas."""
    lonely = replace(
        RUNS, replicas=(1, 1), in_sync=(1, 1), settings={**SOUND, "min.insync.replicas": "1"}
    )
    states = [state for state, _ in told(topics.judge(ASKED, [lonely], 1))]
    assert states == [State.ADVICE, State.GOOD]


@pytest.mark.parametrize(
    ("role", "operation", "name"),
    [(Role.JOB, AclOperation.WRITE, "Write"), (Role.SINK, AclOperation.READ, "Read")],
)
def test_each_role_needs_its_own_right(role: Role, operation: AclOperation, name: str) -> None:
    """What it lacks is told with the command that gives it."""
    asked = replace(ASKED, role=role)
    found = told(
        rights.judge(
            asked,
            {
                "conformare.runs": frozenset({operation, AclOperation.DESCRIBE}),
                "conformare.risks": frozenset({AclOperation.DESCRIBE}),
                "conformare.sinks": frozenset(),
                "conformare.owners": None,
            },
        )
    )
    assert found == [
        (State.UNCHECKED, "the broker does not tell what may be done with conformare.sinks"),
        (
            State.MEND,
            (
                f"this user may not {name} conformare.risks: let it, by `kafka-acls --add "
                f"--allow-principal User:… --operation {name} --topic conformare. "
                "--resource-pattern-type prefixed`"
            ),
        ),
        (State.GOOD, f"this user may {name} conformare.runs, the broker says"),
    ]


def test_topics_that_nobody_shows_are_not_judged() -> None:
    """The lines of the topics say what to do."""
    ((state, _),) = told(rights.judge(ASKED, {"conformare.runs": None}))
    assert state is State.UNCHECKED


@pytest.mark.parametrize(
    ("theirs", "state", "part_of_line"),
    [
        (NOW, State.GOOD, "at most 1.0 s apart"),
        (NOW + timedelta(seconds=1), State.GOOD, "apart"),
        (NOW - MOST_SKEW, State.GOOD, "at most 6.0 s apart"),
        (NOW - MOST_SKEW - timedelta(seconds=1), State.MEND, "6.0 s behind this machine's"),
        (NOW + timedelta(hours=2, seconds=1), State.MEND, "2:00:00 ahead of this machine's"),
    ],
)
def test_clocks_that_are_apart(theirs: datetime, state: State, part_of_line: str) -> None:
    """An answer that took a second says so much less."""
    ended = NOW + timedelta(seconds=1)
    ((found, line),) = told(judge("clock", "the clock of it", theirs, NOW, ended))
    assert found is state
    assert part_of_line in line
    assert ("NTP" in line) == (state is State.MEND)


@pytest.mark.parametrize(
    ("newest", "state"),
    [
        (None, State.UNCHECKED),
        (NOW - timedelta(days=400), State.GOOD),
        (NOW + MOST_SKEW, State.GOOD),
        (NOW + MOST_SKEW + timedelta(seconds=1), State.MEND),
    ],
)
def test_a_message_from_the_future(newest: datetime | None, state: State) -> None:
    """It is the one thing that messages tell of a broker's clock."""
    ((found, _),) = told(clock.by_newest(newest, NOW))
    assert found is state


def test_tables_that_cannot_be_written_or_are_of_an_older_release() -> None:
    """The first is told in the words of the sink; the second mends itself."""
    looks = [
        Look("runs", 7),
        Look("risks", 3, lacks=1),
        Look("acknowledgements", None),
        Look("sinks", 1, 0, "no: x"),
        Look("owners", None, refusal="no: x", is_readable=False),
    ]
    assert told(tables.judge(looks)) == [
        (State.MEND, "owners, sinks: no: x"),
        (State.GOOD, "3 of 5 tables, at version: runs 7, risks 3, sinks 1"),
        (
            State.ADVICE,
            (
                "risks, acknowledgements: of an older release; the sink of this one adds what is missing "
                "when it starts"
            ),
        ),
    ]


@pytest.mark.parametrize(("version", "is_deleted"), [(1, False), (2, True)])
def test_a_table_that_somebody_has_deleted(version: int, is_deleted: bool) -> None:
    """Of a lake that is just being made, some are not there yet."""
    lines = told(tables.judge([Look("runs", version), Look("risks", None)]))
    assert (lines[0][0] is State.MEND) == is_deleted
    assert lines[0][1].startswith("risks: the table is not there") == is_deleted
    assert ("older release" in lines[-1][1]) != is_deleted


@pytest.mark.parametrize(
    ("files", "writer", "state"),
    [
        (DUE_FILES - 1, None, State.GOOD),
        (DUE_FILES, None, State.MEND),
        (DUE_FILES, Writer("a sink", is_alive=False), State.MEND),
        (BEHIND_FILES - 1, Writer("a sink", is_alive=True), State.GOOD),
        (BEHIND_FILES, Writer("a sink", is_alive=True), State.MEND),
    ],
)
def test_maintenance_is_due(files: int, writer: Writer | None, state: State) -> None:
    """A running sink does it by itself."""
    looks = [Look("runs", 7, small_files=1), Look("risks", 3, small_files=files)]
    ((found, line),) = told(tables.judge_upkeep(ASKED, looks, writer))
    assert found is state
    assert f"risks has most small files, {files:,}" in line


def test_due_maintenance_comes_with_its_command() -> None:
    """It can be pasted."""
    asked = replace(ASKED, storage=StorageSettings(file=Path("/s")))
    ((_, line),) = told(tables.judge_upkeep(asked, [Look("runs", 7, small_files=DUE_FILES)], None))
    assert line.endswith("call `conformare maintain --lake '/a lake' --storage-options /s`")


@pytest.mark.parametrize(
    ("role", "missing", "state"),
    [
        (Role.JOB, {"a-value"}, State.MEND),
        (Role.SINK, {"a-value"}, State.ADVICE),
        (Role.JOB, set(), State.GOOD),
    ],
)
def test_schemas_that_a_registry_lacks(role: Role, missing: set[str], state: State) -> None:
    """A job needs them for its framing; a sink reads those of others."""
    access = RegistryAccess(url="http://registry:8081")
    found = registry.judge(replace(ASKED, role=role), access, missing)
    assert found.state is state
    assert "http://registry:8081" in found.line
    assert ("conformare schemas register" in found.line) == bool(missing)
