"""What has waited too long in a lake of folders: set aside, and brought back by a retry."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.landed import PREFIX, kafka_messages, tables_in
from support.messages.records import make_record

from conformare.cli import main
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.landing import pending
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.emission import EmissionKey

CAUSE = "incomplete emission: the rest did not come within 30 days"
LATER = datetime.now(timezone.utc) + timedelta(days=1)


def landing_in(lake: Lake) -> Landing:
    """A process that knows what the lake knows."""
    return Landing(lake, PendingMessages(lake.waiting()), PREFIX)


def test_what_is_set_aside_comes_back_with_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `conformare quarantine retry`, also after its run's rows were maintained."""
    old, young = make_record("old"), make_record("young")
    of_old, of_young = kafka_messages(old), kafka_messages(young)
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        landing_in(lake).land([*of_old[3:], *of_young[3:]])
        between = datetime.now(timezone.utc)
        landing = landing_in(lake)
        landing.land(of_young[:2])
        assert lake.waiting_since(between) == [EmissionKey("pipeline", "old", "e-old")]
        assert landing.set_aside(between, CAUSE, 9) == 1
        assert waiting_runs(tmp_path) == {("pipeline", "young")}
        assert {row["cause"] for row in read_table(tmp_path, "quarantine")} == {CAUSE}
        assert len(read_table(tmp_path, "quarantine")) == len(of_old) - 3
        landing.land([*of_old[:3], of_young[2]])
        assert waiting_runs(tmp_path) == {("pipeline", "old")}
        # What maintenance deletes beside a batch is not what still waits.
        assert lake.forget_settled() == len(of_young) - 1
        assert landing.set_aside(between, CAUSE, 9) == 0
    retry = ["quarantine", "retry", "--lake", str(tmp_path), "--topic-prefix", PREFIX]
    assert main([*retry, "--cause", "incomplete emission"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{len(of_old) - 3} message(s) taken out of quarantine: 1 run(s) landed")
    assert check(tmp_path, [old, young]).is_sound
    assert read_table(tmp_path, "quarantine") == []


def test_what_is_tried_again_without_the_rest_waits_anew(tmp_path: Path) -> None:
    """For as long as before."""
    of_old = kafka_messages(make_record("old"))
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        landing = landing_in(lake)
        landing.land(of_old[3:])
        assert landing.set_aside(LATER, CAUSE, 9) == 1
    before = datetime.now(timezone.utc)
    retry = ["quarantine", "retry", "--lake", str(tmp_path), "--topic-prefix", PREFIX]
    assert main(retry) == 0
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        assert waiting_runs(tmp_path) == {("pipeline", "old")}
        assert lake.waiting_since(before) == []
        landing_in(lake).land(of_old[:3])
    assert check(tmp_path, [make_record("old")]).is_sound


def test_messages_that_waited_across_restarts_land_with_the_values_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the values are in memory or not; one that was kept twice is there once."""
    records = [make_record(f"run-{n}") for n in range(3)]
    messages = [kafka_messages(record) for record in records]
    monkeypatch.setattr(pending, "MOST_VALUE_BYTES", 3_000)
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        for _ in range(2):  # as after a crash behind this commit
            Landing(lake, PendingMessages(), PREFIX).land(
                [m for those in messages for m in those[2:]]
            )
        landing = landing_in(lake)
        landing.land([those[1] for those in messages])
        assert landing.pending.emissions == 3
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        landing = landing_in(lake)
        assert landing.pending.emissions == 3
        landing.land([those[0] for those in messages])
        assert landing.pending.emissions == 0
    assert check(tmp_path, records).is_sound
