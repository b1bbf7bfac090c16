"""A process that lands is killed before every commit that it makes, one process after the other."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from support.lakes.checker import check, check_quarantine, waiting_runs
from support.lakes.landed import PREFIX, kafka_messages, tables_in
from support.messages.records import Record, make_record

from conformare_schemas import topic_name
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.tables.fenced_log import FencedLog
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.message import Message

LOG = "topic-id:0"
SECONDS = 120
BATCHES = 2
RECORDS = [make_record(f"run-{n}") for n in range(3)]
GARBAGE = Message(b"key", b"garbage", topic_name("runs", PREFIX), 1, 0, 0)
FORKED = multiprocessing.get_context("forkserver")
"""Makes each process of one that has nothing but the imports: they take longer than to land."""
FORKED.set_forkserver_preload([__name__])


def log_of(records: list[Record]) -> list[Message]:
    """All messages in the order of one log: mixed, and one run is never whole."""
    messages = [m for record in records for m in kafka_messages(record)]
    messages += kafka_messages(make_record("half"))[1:]
    random.Random(3).shuffle(messages)  # noqa: S311 - the same order every time
    messages.insert(len(messages) // 2, GARBAGE)
    return messages


def land(lake: str, commits_left: int) -> None:
    """Land all of the log that the lake has not read, and be killed before so many commits."""
    commit = FencedLog.commit

    def commit_or_die(log: FencedLog, *change: Any, **how: Any) -> Any:
        nonlocal commits_left
        if commits_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        commits_left -= 1
        return commit(log, *change, **how)

    messages = log_of(RECORDS)
    size = -(-len(messages) // BATCHES)
    with open_for_writing(tables_in(lake), "a test") as opened:
        setattr(FencedLog, "commit", commit_or_die)  # noqa: B010 - types know no such thing
        landing = Landing(opened, PendingMessages(opened.waiting()), PREFIX)
        begin = opened.read_to([LOG]).get(LOG, 0)
        while begin < len(messages):
            end = min(begin + size, len(messages))
            landing.land(messages[begin:end], {LOG: end})
            begin = end


def seen_by_readers(lake: str) -> Mapping[str, int]:
    """How many rows each visible run has in every table, `runs` read first."""
    runs = {row["run_id"] for row in DeltaTable(f"{lake}/runs").to_pyarrow_table().to_pylist()}
    counts = dict.fromkeys(runs, 0)
    for grain in RECORDS[0]:
        for row in DeltaTable(f"{lake}/{grain}").to_pyarrow_table().to_pylist():
            if row["run_id"] in runs:
                counts[row["run_id"]] += 1
    return counts


def test_a_process_that_is_killed_before_any_commit_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    """Each one goes on where the lake has read to; readers never see a part of a run."""
    lake = str(tmp_path / "lake")
    n_rows = sum(map(len, RECORDS[0].values()))
    killed = 0
    for commits in range(40):
        landing = FORKED.Process(target=land, args=(lake, commits))
        landing.start()
        landing.join(SECONDS)
        assert set(seen_by_readers(lake).values()) <= {n_rows}
        if landing.exitcode == 0:
            break
        assert landing.exitcode == -signal.SIGKILL
        killed += 1
    assert check(lake, RECORDS).is_sound
    place = (GARBAGE.topic, GARBAGE.partition, GARBAGE.offset)
    assert check_quarantine(lake, {place: (GARBAGE.key, GARBAGE.value)}).is_sound
    assert waiting_runs(lake) == {("pipeline", "half")}
    with open_for_writing(tables_in(lake), "a test") as opened:
        assert opened.read_to([LOG]) == {LOG: len(log_of(RECORDS))}
        assert PendingMessages(opened.waiting()).emissions == 1
    assert killed > BATCHES * 2
