"""What waits in quarantine for a registry lands when it has answered, whole and once."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.lakes.checker import check, read_table, waiting_runs
from support.lakes.landed import PREFIX, kafka_messages, tables_in
from support.messages.framed import IDS, by_id
from support.messages.records import make_record

from conformare_schemas import confluent_header, confluent_id, message_schema
from conformare_schemas.registry import RegistryAccess, released_header
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages.framing import FOREIGN, NO_REGISTRY, NOT_OURS, NOT_RESOLVED
from conformare_sink.registry import resolver as resolver_module
from conformare_sink.registry.resolver import Resolver
from conformare_sink.stream import retry as retry_module
from conformare_sink.stream.awaited import AwaitedSchemas
from conformare_sink.stream.retry import unresolved_ids

NOWHERE = RegistryAccess.of("http://127.0.0.1:1", {})


def told(resolver: Resolver, ids: dict[int, bytes]) -> None:
    """Let a registry answer."""
    resolver._learn(ids)


@contextmanager
def a_sink(folder: Path) -> Iterator[tuple[Lake, Landing, Resolver, AwaitedSchemas]]:
    """A sink on a lake, whose registry has said nothing yet."""
    with open_for_writing(tables_in(folder), "a test") as lake:
        resolver = Resolver(NOWHERE, PREFIX)
        landing = Landing(lake, PendingMessages(lake.waiting()), PREFIX, registry=resolver)
        yield lake, landing, resolver, AwaitedSchemas(lake, landing, resolver)


def causes(folder: Path) -> Counter[str]:
    """How many messages are in quarantine, by their cause."""
    return Counter(row["cause"] for row in read_table(folder, "quarantine"))


def test_a_run_lands_when_its_last_id_is_known(tmp_path: Path) -> None:
    """With what waited for it in the other framing."""
    record = make_record("run", rows={"risks": 2, "owners": 1})
    risks, owners, run = kafka_messages(record)
    with a_sink(tmp_path) as (lake, landing, resolver, awaited):
        landing.land([by_id(risks), owners, by_id(run)])
        assert causes(tmp_path) == {NOT_RESOLVED: 2}
        ids = {confluent_id(by_id(one).value): IDS for one in (risks, run)}
        assert set(resolver._wanted) == set(ids)
        awaited.retry()
        assert causes(tmp_path) == {NOT_RESOLVED: 2}
        told(resolver, IDS)
        awaited.retry()
        assert not lake.has_quarantined()
    assert causes(tmp_path) == {}
    assert waiting_runs(tmp_path) == set()
    assert check(tmp_path, [record]).is_sound


def test_of_more_ids_than_are_asked_for_at_a_time_each_has_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many nobody will ever know: one of them may be known later."""
    monkeypatch.setattr(resolver_module, "MOST_WANTED", 2)
    monkeypatch.setattr(resolver_module, "LONGEST_UNKNOWN_SECONDS", 0.0)
    monkeypatch.setattr(retry_module, "MOST_IDS", 2)
    ids = range(100, 106)
    (*_, run) = kafka_messages(make_record("run"))
    strange = [run._replace(value=confluent_header(one) + b"x", offset=one) for one in ids]
    with a_sink(tmp_path) as (_, landing, _, _):
        landing.land(strange)
    with a_sink(tmp_path) as (_, _, resolver, awaited):
        asked: set[int] = set()
        for _ in range(200):
            if (asked := asked | {*resolver._wanted}) == {*ids}:
                break
            assert len(resolver._wanted) == 2
            for one in resolver._wanted.values():
                one.refuse()
            awaited.retry()
    assert asked == {*ids}


def test_what_waits_is_asked_for_again_by_the_next_sink(tmp_path: Path) -> None:
    """Also where the one before had no registry."""
    record = make_record("run", rows={})
    (run,) = kafka_messages(record)
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        Landing(lake, PendingMessages(), PREFIX).land([by_id(run)])
        assert causes(tmp_path) == {NO_REGISTRY: 1}
        assert unresolved_ids(lake) == [1]
    with a_sink(tmp_path) as (_, _, resolver, awaited):
        told(resolver, IDS)
        awaited.retry()
    assert check(tmp_path, [record]).is_sound
    assert causes(tmp_path) == {}


def test_what_is_none_of_ours_gets_its_cause_and_is_tried_no_more(tmp_path: Path) -> None:
    """A schema of somebody else, of another grain, a payload that does not follow it."""
    risks, run = kafka_messages(make_record("run", rows={"risks": 1}))
    foreign = risks._replace(value=confluent_header(77) + b"anything", offset=10)
    swapped = by_id(run)._replace(topic=risks.topic, offset=11)
    broken = by_id(run)._replace(value=(by_id(run).value or b"")[:-3], offset=12)
    with a_sink(tmp_path) as (lake, landing, resolver, awaited):
        landing.land([foreign, swapped, broken])
        told(resolver, {**IDS, 77: FOREIGN})
        awaited.retry()
        found = causes(tmp_path)
        assert found[NOT_OURS] == 1
        assert sorted(cause.partition(":")[0] for cause in found) == [
            "undecodable",
            "unknown schema",
            "unknown schema",
        ]
        assert sum(found.values()) == 3
        assert lake.has_quarantined()
    stored = {(row["offset"], row["value"]) for row in read_table(tmp_path, "quarantine")}
    assert stored == {(one.offset, one.value) for one in (foreign, swapped, broken)}
    assert read_table(tmp_path, "runs") == []


def test_a_sink_that_was_upgraded_looks_again_at_what_was_not_ours(tmp_path: Path) -> None:
    """The registry is asked for the id once more, and its schema is known by now."""
    record = make_record("run", rows={})
    (run,) = kafka_messages(record)
    with a_sink(tmp_path) as (_, landing, resolver, awaited):
        landing.land([by_id(run)])
        told(resolver, {1: FOREIGN})  # as a sink of an older contract takes it
        awaited.retry()
        assert causes(tmp_path) == {NOT_OURS: 1}
    with a_sink(tmp_path) as (_, _, resolver, awaited):
        assert set(resolver._wanted) == {1}
        told(resolver, IDS)
        awaited.retry()
    assert causes(tmp_path) == {}
    assert check(tmp_path, [record]).is_sound


def test_a_retry_that_broke_off_is_repeated_without_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the new cause and the end of the old one, a message has two, and then one."""
    risks, run = kafka_messages(make_record("run", rows={"risks": 1}))
    foreign = risks._replace(value=confluent_header(77) + b"anything", offset=10)
    with a_sink(tmp_path) as (_, landing, resolver, awaited):
        landing.land([foreign, by_id(run)])
        told(resolver, {**IDS, 77: FOREIGN})
        with monkeypatch.context() as patch:
            patch.setattr(FolderTable, "delete", broken_off)
            with pytest.raises(InterruptedError):
                awaited.retry()
    for _ in range(2):
        with a_sink(tmp_path) as (_, _, resolver, awaited):
            told(resolver, {**IDS, 77: FOREIGN})
            awaited.retry()
    assert causes(tmp_path) == {NOT_OURS: 1}
    assert len(waiting_runs(tmp_path)) == 1


def broken_off(*_: object) -> None:
    """End a process in the middle."""
    raise InterruptedError


def test_a_writer_schema_that_does_not_go_with_ours_never_lands(tmp_path: Path) -> None:
    """Its bytes would decode, and its times be wrong by a thousand."""
    schema = copy.deepcopy(message_schema("runs"))
    (ts,) = (field for field in schema["fields"] if field["name"] == "ts")
    ts["type"]["logicalType"] = "timestamp-millis"
    (run,) = kafka_messages(make_record("run", rows={}))
    with a_sink(tmp_path) as (_, landing, resolver, awaited):
        landing.land([by_id(run)])
        told(resolver, {1: released_header(json.dumps(schema)) or FOREIGN})
        awaited.retry()
    assert causes(tmp_path) == {NOT_OURS: 1}
    assert read_table(tmp_path, "runs") == []
