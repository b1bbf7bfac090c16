"""Declarations in a lake: there once, whatever becomes of an append."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from support.lakes.landed import tables_in
from support.messages.produce import messages_of
from support.messages.records import make_declaration

from conformare_schemas import SOURCE_RISKS, topic_name
from conformare_sink.errors import TableWriteError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.maintenance import Maintenance
from conformare_sink.lake.tables import folder_table
from conformare_sink.messages.declarations import read_declarations
from conformare_sink.messages.emission import Decision
from conformare_sink.messages.message import Message


def rows_of(*emission_ids: str) -> pa.Table:
    """The rows of some declarations, of two risks each."""
    messages = [
        Message(one.key, one.value, topic_name(one.grain), 0, n, n)
        for n, emission_id in enumerate(emission_ids)
        for one in messages_of(make_declaration("/data"), emission_id)
    ]
    return read_declarations(messages)[0]


def there(lake: Path) -> list[str]:
    """The emissions of the rows in the table."""
    table = DeltaTable(lake / SOURCE_RISKS).to_pyarrow_table(columns=["emission_id"])
    return sorted(table.column("emission_id").to_pylist())


def test_each_is_appended_once_and_by_one_commit(tmp_path: Path) -> None:
    """By this writer and the next."""
    for expected in (Decision.LAND, Decision.REPEAT):
        with open_for_writing(tables_in(tmp_path), "a test") as lake:
            version = DeltaTable(tmp_path / SOURCE_RISKS).version()
            assert lake.declare(rows_of("e-1", "e-2")) == {"e-1": expected, "e-2": expected}
            added = DeltaTable(tmp_path / SOURCE_RISKS).version() - version
            assert added == (1 if expected is Decision.LAND else 0)
    assert there(tmp_path) == ["e-1", "e-1", "e-2", "e-2"]


@pytest.mark.parametrize("has_landed", [True, False])
def test_an_append_that_seemed_to_fail_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_landed: bool
) -> None:
    """Whether its commit is there or not, the next attempt makes it exactly once."""
    append = folder_table.FolderTable.append

    def fail(table: folder_table.FolderTable, rows: pa.Table, *more: Any) -> None:
        if has_landed:
            append(table, rows, *more)
        raise TableWriteError("source_risks", "the store does not answer")

    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        with monkeypatch.context() as patch:
            patch.setattr(folder_table.FolderTable, "append", fail)
            with pytest.raises(TableWriteError):
                lake.declare(rows_of("e-1"))
        expected = Decision.REPEAT if has_landed else Decision.LAND
        assert lake.declare(rows_of("e-1")) == {"e-1": expected}
        assert lake.declare(rows_of("e-1")) == {"e-1": Decision.REPEAT}
    assert there(tmp_path) == ["e-1", "e-1"]


def test_what_others_write_beside_the_sink_is_seen(tmp_path: Path) -> None:
    """Rows that come, and rows that go."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        lake.declare(rows_of("e-1"))
        write_deltalake(tmp_path / SOURCE_RISKS, rows_of("e-2"), mode="append")
        assert lake.declare(rows_of("e-2")) == {"e-2": Decision.REPEAT}
        DeltaTable(tmp_path / SOURCE_RISKS).delete("emission_id = 'e-1'")
        assert lake.declare(rows_of("e-1")) == {"e-1": Decision.LAND}
    assert there(tmp_path) == ["e-1", "e-1", "e-2", "e-2"]


def test_maintenance_compacts_them_by_location(tmp_path: Path) -> None:
    """And changes nothing of what is there."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        for number in range(5):
            lake.declare(rows_of(f"e-{number}"))
        assert not Maintenance(lake, 168).run_once().faults
        assert lake.declare(rows_of("e-3")) == {"e-3": Decision.REPEAT}
    assert len(DeltaTable(tmp_path / SOURCE_RISKS).file_uris()) == 1
    assert there(tmp_path) == sorted([f"e-{n}" for n in range(5)] * 2)
