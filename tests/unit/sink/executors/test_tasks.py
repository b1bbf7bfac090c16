"""What tasks make of a batch is what the driver alone would have made of it."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support.lakes import tasks
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.landed import PREFIX, kafka_messages, tables_in
from support.lakes.tasks import as_batches, land_by_tasks, task_for
from support.messages.framed import Told, by_id
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS, confluent_header, topic_name
from conformare_schemas.registry import RegistryAccess
from conformare_sink.executors.found import Found
from conformare_sink.executors.reply import read_replies, reply_of
from conformare_sink.executors.task import Task
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.purge import Purge
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.message import Message
from conformare_sink.registry.resolver import MOST_WANTED, Resolver

ROWS = {"contexts": 2, "risks": 3, "owners": 1}


@contextmanager
def open_lake(folder: Path) -> Iterator[tuple[Lake, Landing]]:
    """A lake that is open for landing."""
    with open_for_writing(tables_in(folder), "a test") as lake:
        yield lake, Landing(lake, PendingMessages(lake.waiting()), PREFIX, registry=Told())


def produced(chance: random.Random) -> list[Message]:
    """Messages of some runs: whole ones, parts, conflicts, what was sent twice, and garbage.

    In both framings, and some by an id that nobody knows.
    """
    messages: list[Message] = []
    for number in range(chance.randint(1, 6)):
        for content in chance.choice([("first",), ("first", "second")]):
            record = make_record(f"run-{number}", content=content, rows=ROWS)
            sent = kafka_messages(record, f"run-{number}-{content}")
            if chance.random() < 1 / 4:
                sent = chance.sample(sent, chance.randint(1, len(sent)))
            messages += sent + chance.sample(sent, chance.randint(0, 2) % len(sent))
    garbage = Message(b"k", b"garbage", topic_name("runs", PREFIX), 1, 0, 0)
    messages += [garbage] * chance.randint(0, 1)
    chance.shuffle(messages)
    for n in chance.sample(range(len(messages)), len(messages) // 2):
        if messages[n] is not garbage:
            messages[n] = by_id(messages[n])
    if chance.random() < 1 / 3:
        n = chance.randrange(len(messages))
        messages[n] = messages[n]._replace(value=confluent_header(77) + b"payload")
    return [m._replace(offset=n, timestamp=n) for n, m in enumerate(messages)]


def everything(folder: Path) -> dict[str, list[str]]:
    """All that a reader of a lake can tell, in a fixed order."""
    rows: dict[str, list[dict[str, Any]]] = {
        table: read_table(folder, table) for table in (*RUN_GRAINS, "quarantine")
    }
    for row in rows["quarantine"]:
        del row["quarantined_at"]
    return {table: sorted(map(str, those)) for table, those in rows.items()}


@settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_the_tables_are_those_of_the_driver_alone(chance: random.Random) -> None:
    """However the topics are cut into batches, and whoever processes each of them."""
    messages = produced(chance)
    cuts = sorted(chance.sample(range(len(messages) + 1), min(3, len(messages))))
    batches = [messages[a:b] for a, b in zip([0, *cuts], [*cuts, len(messages)], strict=True)]
    purged = chance.choice([(), ("run-0",)])
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        by_driver, by_both = Path(name, "driver"), Path(name, "both")
        if chance.random() < 1 / 4:
            event("some parts are too heavy for a task")
            patch.setattr(tasks, "Task", partial(Task, most_bytes=12_000))
        waiting = []
        for folder in (by_driver, by_both):
            with open_lake(folder) as (lake, landing):
                if purged:
                    lake.purge(Purge(run_ids=purged))
                for n, batch in enumerate(batches):
                    if folder is by_both and chance.random() < 2 / 3:
                        parts = chance.randint(1, 4)
                        land_by_tasks(lake, landing, batch, PREFIX, parts, {"log:0": n + 1})
                    else:
                        landing.land(batch, {"log:0": n + 1})
                waiting.append(sorted(landing.pending.runs()))
                assert lake.read_to(["log:0"]) == {"log:0": len(batches)}
        assert everything(by_both) == everything(by_driver)
        assert waiting[0] == waiting[1]
        assert waiting_runs(by_both) == waiting_runs(by_driver)


def test_a_batch_that_lands_again_changes_nothing(tmp_path: Path) -> None:
    """Its driver ended before it heard of the last commit."""
    records = [make_record(f"run-{n}") for n in range(5)]
    messages = [m for record in records for m in kafka_messages(record)]
    garbage = Message(b"k", b"garbage", topic_name("runs", PREFIX), 1, 0, 0)
    for _ in range(2):
        with open_lake(tmp_path) as (lake, landing):
            land_by_tasks(lake, landing, [*messages, garbage], PREFIX)
    assert check(tmp_path, records).is_sound
    assert len(read_table(tmp_path, "quarantine")) == 1


def test_a_known_run_is_known_in_either_framing(tmp_path: Path) -> None:
    """And the driver hears of the ids that no task could resolve."""
    record = make_record("run-0", rows=ROWS)
    other = kafka_messages(make_record("run-0", content="second", rows=ROWS), "second")
    strange = other[0]._replace(value=confluent_header(77) + b"payload", offset=99)
    with open_lake(tmp_path) as (lake, landing):
        land_by_tasks(lake, landing, kafka_messages(record, "first"), PREFIX)
        land_by_tasks(lake, landing, [*map(by_id, other), strange], PREFIX)
        registry = landing._registry
        assert isinstance(registry, Told)
        assert registry.wanted == {77}
    assert check(tmp_path, [record]).is_sound


def test_ids_that_a_task_leaves_out_have_their_turn() -> None:
    """The registry's side knows of them as soon as it is told of more than it asks for at a time."""
    found = Found(unresolved={*range(3 * MOST_WANTED)})
    resolver = Resolver(RegistryAccess.of("http://127.0.0.1:1", {}), PREFIX)
    resolver.want(read_replies(pa.Table.from_batches([reply_of(found)])).unresolved)
    for wanted in resolver._wanted.values():
        wanted.refuse()
    assert resolver.take_dropped()


def test_files_of_a_lost_attempt_are_in_no_commit(tmp_path: Path) -> None:
    """So readers do not see them, and maintenance removes them one day."""
    record = make_record("run-0")
    with open_lake(tmp_path) as (lake, landing):
        land_by_tasks(lake, landing, kafka_messages(record), PREFIX, n_parts=1)
    for grain in RUN_GRAINS:
        assert len([*Path(tmp_path, grain).glob("*.parquet")]) == 2
    assert check(tmp_path, [record]).is_sound


def test_what_a_store_refuses_a_task_is_told_and_nothing_lands(tmp_path: Path) -> None:
    """In one line, to the driver."""
    messages = kafka_messages(make_record("run-0"))
    with open_lake(tmp_path) as (lake, landing):
        task = task_for(lake, landing, messages, PREFIX)
        nowhere = tmp_path / "runs" / "_delta_log" / "0.json"
        nowhere.touch()
        work = replace(task, storage=replace(task.storage, root=str(nowhere)))
        (reply,) = work(as_batches(messages, 0))
    found = read_replies(pa.Table.from_batches([reply]))
    assert found.fault is not None
    assert "cannot be used" in found.fault
    assert found.files == {}
