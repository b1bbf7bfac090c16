"""A lake in an object store: what it rests on, and sinks that lose it to each other there."""

from __future__ import annotations

import multiprocessing
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from faults.result import Result
from faults.series import SeriesOptions, run_series
from faults.stage import IMPATIENT
from obstore.exceptions import AlreadyExistsError, PreconditionError
from support.lakes.checker import check
from support.lakes.landed import fetch, land, new_path, tables_at
from support.messages.records import make_record
from support.servers.object_store import ObjectStore, s3proxy

from conformare_schemas import RUN_GRAINS
from conformare_sink.lake.lake import open_for_writing

WRITERS, APPENDS, RACES = 3, 10, 20
# Two sinks at once, and a commit held while its writer is suspended; `make faults` has the others.
SERIES = SeriesOptions(seed=12, runs=60, kills=0, store=s3proxy, program=IMPATIENT, incidents=2)


def _append(store: ObjectStore, url: str, writer: int) -> None:
    for number in range(APPENDS):
        rows = pa.table({"writer": [writer], "number": [number]})
        write_deltalake(url, rows, mode="append", storage_options=store.storage_options)


def test_writers_of_one_table_lose_nothing(object_store: ObjectStore) -> None:
    """Each in a process of its own; every commit is an object that is created once."""
    url = object_store.url(f"test-{uuid.uuid4().hex}")
    DeltaTable.create(
        url,
        pa.schema({"writer": pa.int64(), "number": pa.int64()}),
        storage_options=object_store.storage_options,
    )
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        pool.starmap(_append, [(object_store, url, writer) for writer in range(WRITERS)])
    table = DeltaTable(url, storage_options=object_store.storage_options)
    assert table.version() == WRITERS * APPENDS
    rows = table.to_pyarrow_table().to_pylist()
    assert sorted((row["writer"], row["number"]) for row in rows) == [
        (writer, number) for writer in range(WRITERS) for number in range(APPENDS)
    ]


def test_an_object_is_created_once(object_store: ObjectStore) -> None:
    """Also where several try at the same instant."""
    client, path = object_store.client(), f"test-{uuid.uuid4().hex}"

    def is_first(race: int, racer: int) -> bool:
        try:
            obstore.put(client, f"{path}/{race}", str(racer).encode(), mode="create")
        except AlreadyExistsError:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        for race in range(RACES):
            won = list(pool.map(is_first, [race] * WRITERS, range(WRITERS)))
            assert sum(won) == 1
            found = obstore.get(client, f"{path}/{race}").bytes()
            assert bytes(found) == str(won.index(True)).encode()


def test_an_object_is_replaced_only_if_it_is_the_one_that_was_read(
    object_store: ObjectStore,
) -> None:
    """By its ETag; nor is it made anew after it was deleted."""
    client, path = object_store.client(), f"test-{uuid.uuid4().hex}"
    first = obstore.put(client, path, b"1", mode="create")["e_tag"]
    assert first is not None
    obstore.put(client, path, b"2", mode={"e_tag": first})
    with pytest.raises(PreconditionError):
        obstore.put(client, path, b"3", mode={"e_tag": first})
    assert bytes(obstore.get(client, path).bytes()) == b"2"
    obstore.delete(client, path)
    with pytest.raises(PreconditionError):
        obstore.put(client, path, b"3", mode={"e_tag": first})


def test_small_files_are_compacted_there_too(object_store: ObjectStore, tmp_path: Path) -> None:
    """And nothing of the runs changes."""
    records = [make_record(f"run-{n}") for n in range(3)]
    path = new_path()
    with open_for_writing(tables_at(object_store, path), "a test") as lake:
        land(lake, *records)
        assert [lake.compact(grain) for grain in RUN_GRAINS] == [(3, 1)] * len(RUN_GRAINS)
    assert check(fetch(object_store, path, tmp_path), records).is_sound


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What came of the series."""
    return run_series(SERIES, tmp_path_factory.mktemp("faults"), lambda _: None)


def test_a_sink_that_another_took_over_from_lands_nothing_more(result: Result) -> None:
    """Its commit is under way all the while; it ends, and says so in one line."""
    assert result.complaints() == []


def test_a_lake_was_lost_in_the_middle_of_a_commit(result: Result) -> None:
    """Otherwise the test before would show nothing."""
    assert result.at_once == 1
    assert result.suspended == 1
    assert result.frozen == 1
    assert result.runs > SERIES.runs * 0.9
