"""What is in quarantine, as an operator sees it: read from Delta tables, and without Spark."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from conformare.cli import main
from conformare_sink.lake.kept.quarantined import (
    QuarantinedCause,
    QuarantineFilter,
    quarantined_causes,
    quarantined_messages,
)
from conformare_sink.lake.tables.own import quarantine_rows
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.lake.tables.tables import LakeTables
from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.message import Message
from conformare_sink.options import StorageSettings

TAKEN = 1_767_323_045_000_000
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SECRET = b"\xc3\x01" + bytes(range(8)) + b"something that is nobody's business"
HOSTILE = b"\x1b[2J"


def message(offset: int, topic: str, key: bytes | None, value: bytes | None) -> Message:
    """A message of partition 3."""
    return Message(key, value, topic, 3, offset, TAKEN)


BATCHES = [
    [
        Rejected(message(1, "t.runs", b"run-1", SECRET), "unknown schema: version 9"),
        Rejected(message(2, "t.runs", HOSTILE, None), "not framed: no marker"),
    ],
    [
        Rejected(message(3, "t.risks", None, b"x"), "unknown schema: version 9"),
        Rejected(message(4, "t.risks", b"it's", b""), "it's undecodable"),
    ],
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake as far as it is looked at here."""
    root = tmp_path_factory.mktemp("lake")
    write_deltalake(root / "runs", pa.table({"run_id": ["run-1"]}))
    for batch in BATCHES:
        write_deltalake(root / "quarantine", quarantine_rows(batch), mode="append")
    return str(root)


@pytest.fixture(scope="module")
def tables(lake: str) -> LakeTables:
    """The lake's tables."""
    return folder_tables(lake, StorageSettings())


def test_causes_are_counted_and_dated(tables: LakeTables) -> None:
    """The most frequent first, each with its topics."""
    found = quarantined_causes(tables)
    assert [(one.cause, one.messages, one.topics) for one in found] == [
        ("unknown schema: version 9", 2, ("t.risks", "t.runs")),
        ("it's undecodable", 1, ("t.risks",)),
        ("not framed: no marker", 1, ("t.runs",)),
    ]
    unknown, quote, _ = found
    assert unknown.first < unknown.last == quote.first == quote.last


def test_a_message_is_shown_by_its_place_and_never_by_its_content(tables: LakeTables) -> None:
    """A key that a terminal would obey is in hexadecimal digits."""
    found = {one.offset: one for one in quarantined_messages(tables, QuarantineFilter(), 9)}
    assert [*found] == [3, 4, 1, 2]
    assert {one.timestamp for one in found.values()} == {AT}
    assert {one.partition for one in found.values()} == {3}
    assert {one.offset: one.key for one in found.values()} == {
        1: "run-1",
        2: "\x1b[2J",
        3: "",
        4: "it's",
    }
    assert {one.offset: one.value_bytes for one in found.values()} == {
        1: len(SECRET),
        2: 0,
        3: 1,
        4: 0,
    }
    assert found[1].first_bytes == SECRET[:16].hex()


@pytest.mark.parametrize(
    ("chosen", "offsets"),
    [
        (QuarantineFilter(cause="unknown schema"), {1, 3}),
        (QuarantineFilter(cause="schema"), set()),
        (QuarantineFilter(cause="it's"), {4}),
        (QuarantineFilter(topic="t.runs"), {1, 2}),
        (QuarantineFilter(cause="unknown", topic="t.runs"), {1}),
        (QuarantineFilter(cause="' OR true --"), set()),
    ],
)
def test_messages_are_chosen_by_the_beginning_of_their_cause_and_by_topic(
    tables: LakeTables, chosen: QuarantineFilter, offsets: set[int]
) -> None:
    """Of several conditions, all hold; quotes are text."""
    assert {one.offset for one in quarantined_messages(tables, chosen, 9)} == offsets


def test_no_more_are_shown_than_asked_for(tables: LakeTables) -> None:
    """The latest."""
    assert [one.offset for one in quarantined_messages(tables, QuarantineFilter(), 1)] == [3]


def test_a_lake_that_only_jobs_write_to_has_no_quarantine(tmp_path: Path) -> None:
    """Which is as good as an empty one."""
    write_deltalake(tmp_path / "runs", pa.table({"run_id": ["run-1"]}))
    tables = folder_tables(str(tmp_path), StorageSettings())
    assert quarantined_causes(tables) == []
    assert quarantined_messages(tables, QuarantineFilter(), 9) == []
    assert main(["quarantine", "list", "--lake", str(tmp_path)]) == 0


def test_the_commands_print_tables_for_people_and_json_for_programs(
    lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same in both."""
    assert main(["quarantine", "list", "--lake", lake]) == 0
    shown = capsys.readouterr().out
    assert "not framed" in shown
    assert main(["quarantine", "list", "--lake", lake, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert QuarantinedCause(**{**first, "topics": tuple(first["topics"])}).messages == 2

    chosen = ["--cause", "unknown", "--topic", "t.runs", "--limit", "5"]
    assert main(["quarantine", "show", "--lake", lake, *chosen, "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert (only["offset"], only["key"], only["value_bytes"]) == (1, "run-1", len(SECRET))
    assert main(["quarantine", "show", "--lake", lake, *chosen]) == 0
    printed = capsys.readouterr().out
    assert "business" not in printed
    assert main(["quarantine", "show", "--lake", lake, "--topic", "none"]) == 0
    assert capsys.readouterr().out == "no such message in quarantine\n"
