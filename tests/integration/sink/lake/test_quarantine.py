"""Messages leave quarantine when they can be used, or when nobody wants them."""

from __future__ import annotations

from collections import Counter

import pytest
from support.lakes.checker import check, read_table
from support.lakes.store import Store
from support.messages.produce import messages_of
from support.messages.records import make_record
from support.messages.upgrade import upgrade, upgraded

from conformare.cli import main
from conformare.emission import Message
from conformare_sink.errors import TableWriteError
from conformare_sink.lake.kept.quarantined import QuarantineFilter
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.emission import Decision
from conformare_sink.status import read_status
from conformare_sink.stream.retry import Retried, retry

GARBAGE = [Message("runs", b"k", b"garbage"), Message("risks", b"k", b"more garbage")]
UNFRAMED = "not framed: the value does not begin with the marker of Avro single-object encoding"


@pytest.fixture(scope="module", autouse=True)
def unusable(store: Store) -> None:
    """Messages that no upgrade makes better."""
    store.topic.send(GARBAGE)
    store.catch_up()


def quarantined(store: Store) -> Counter[str]:
    """How many messages are in quarantine, by the kind of their cause."""
    return Counter(row["cause"].split(":")[0] for row in read_table(store.lake, "quarantine"))


def test_messages_of_a_newer_contract_land_after_the_upgrade(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the start of the sink alone, together with what waited for them."""
    whole, mixed = make_record("whole"), make_record("mixed")
    sent = messages_of(mixed, "e-mixed")
    store.topic.send(
        [
            *map(upgraded, messages_of(whole, "e-whole")),
            *(upgraded(m) if m.grain == "risks" else m for m in sent),
        ]
    )
    assert store.catch_up()[Decision.WAIT] == 1
    assert quarantined(store) == {"not framed": 2, "unknown schema": 9}
    store.catch_up()
    assert quarantined(store) == {"not framed": 2, "unknown schema": 9}
    upgrade(monkeypatch)
    store.catch_up()
    assert check(store.lake, [whole, mixed]).is_sound
    assert quarantined(store) == {"not framed": 2}
    assert read_status(store.tables).incomplete == ()
    # What is decoded well now is not put there again by reading it again.
    assert store.catch_up()[Decision.LAND] == 0


def test_a_retry_that_broke_off_before_it_deleted_changes_nothing_when_it_is_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its runs are known then."""
    record, half = make_record("again"), messages_of(make_record("half"), "e-half")
    store.topic.send(map(upgraded, [*messages_of(record, "e-again"), *half[1:]]))
    store.catch_up()
    upgrade(monkeypatch)
    with open_for_writing(store.tables, "a retry") as lake:
        landing = Landing(lake, PendingMessages(lake.waiting()), store.options.topic_prefix)
        with monkeypatch.context() as patch:
            patch.setattr(Lake, "release", break_off)
            with pytest.raises(TableWriteError):
                retry(lake, landing, QuarantineFilter(cause="unknown schema"))
    assert sum(quarantined(store).values()) == 2 + 15
    assert "again" in {row["run_id"] for row in read_table(store.lake, "runs")}
    with open_for_writing(store.tables, "a retry") as lake:
        landing = Landing(lake, PendingMessages(lake.waiting()), store.options.topic_prefix)
        retried = retry(lake, landing, QuarantineFilter())
        assert retried == Retried(
            emissions={Decision.REPEAT: 1, Decision.WAIT: 1}, used=15, unusable={UNFRAMED: 2}
        )
    assert quarantined(store) == {"not framed": 2}
    (waiting,) = read_status(store.tables).incomplete
    assert (waiting.run_id, waiting.missing) == ("half", {"contexts": 4})
    runs = [row["run_id"] for row in read_table(store.lake, "runs")]
    assert runs.count("again") == 1
    store.topic.send(half[:1])
    assert store.catch_up()[Decision.LAND] == 1


def break_off(*_: object) -> None:
    """End a retry between its two halves."""
    raise TableWriteError("quarantine", "the disk is gone")


def test_the_commands_say_what_they_did(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A retry of what cannot be used yet changes nothing; what is dropped is gone."""
    prefix = ["--topic-prefix", store.options.topic_prefix]
    assert main(["quarantine", "retry", "--lake", store.lake, *prefix]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "0 message(s) taken out of quarantine: 2 message(s) still unusable",
        f"  2 {UNFRAMED}",
    ]
    drop = ["quarantine", "drop", "--lake", store.lake]
    assert main([*drop, "--cause", "unknown"]) == 0
    assert capsys.readouterr().out == "0 message(s) deleted from quarantine\n"
    assert main([*drop, "--topic", f"{store.options.topic_prefix}risks"]) == 0
    assert capsys.readouterr().out == "1 message(s) deleted from quarantine\n"
    assert [row["value"] for row in read_table(store.lake, "quarantine")] == [b"garbage"]
    assert main([*drop, "--all"]) == 0
    assert read_table(store.lake, "quarantine") == []
