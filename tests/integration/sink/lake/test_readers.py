"""The lake as people read it: by Spark, by delta-rs and by DuckDB, who must all see the same."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from support.lakes.store import Store
from support.messages.produce import messages_of
from support.messages.records import make_record

from conformare_schemas import RUN_GRAINS, path_identifier
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.maintenance import Maintenance


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with its extension for Delta, which is a file in a package of its own."""
    package = importlib.util.find_spec("duckdb_extension_delta")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(next(iter(package.submodule_search_locations)))
    (extension,) = folder.rglob("*.duckdb_extension")
    with duckdb.connect() as connection:
        connection.load_extension(str(extension))
        yield connection


def comparable(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """Rows as texts, however often each is there; of a map, some readers give the pairs."""
    texts = (
        {
            **row,
            "ts": row["ts"].timestamp(),
            **({"tags": dict(row["tags"])} if "tags" in row else {}),
        }
        for row in rows
    )
    return Counter(json.dumps(row) for row in texts)


def test_all_readers_see_the_same(
    spark: SparkSession, store: Store, duck: duckdb.DuckDBPyConnection
) -> None:
    """Files that the sink has written, and those that maintenance has made of them."""
    for number in range(3):
        store.topic.send(messages_of(make_record(f"run-{number}"), f"e{number}"))
        store.catch_up()
    with open_for_writing(store.tables, "maintenance") as lake:
        assert Maintenance(lake).run_once().faults == []
    store.topic.send(messages_of(make_record("run-3"), "e3"))
    store.catch_up()
    for grain in RUN_GRAINS:
        table = str(Path(store.lake, grain))
        expected = comparable(
            row.asDict() for row in spark.table(path_identifier(store.lake, grain)).collect()
        )
        assert expected
        assert comparable(DeltaTable(table).to_pyarrow_table().to_pylist()) == expected
        found = duck.execute("SELECT * FROM delta_scan(?)", [table]).to_arrow_table()
        assert comparable(found.to_pylist()) == expected
