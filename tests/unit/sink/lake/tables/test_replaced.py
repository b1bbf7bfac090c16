"""A table that another has replaced under its writer's hands is not written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.lakes.landed import rows_of, run_of, tables_in
from support.lakes.purged_table import loaded, opened, run_ids, tombstone
from support.messages.records import make_record

from conformare_sink.errors import LakeRefusedError, SinkError, TableWriteError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.landings import run_keys
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.tables import LAKE_TABLES

FIRST = make_record("run-0")


def test_a_table_that_was_replaced_by_another_is_not_written(tmp_path: Path) -> None:
    """Somebody has deleted the lake, and made it anew, under a writer's hands."""
    loaded(tmp_path)
    table = opened(tmp_path)
    (tmp_path / "purged").rename(tmp_path / "aside")
    loaded(tmp_path)
    other = opened(tmp_path)
    other.append(tombstone("a"))
    for write in (
        lambda: table.append(tombstone("b")),
        lambda: table.delete(pa.table({"run_id": ["a"]})),
        table.fence,
        table.compact,
    ):
        with pytest.raises(SinkError, match=r"was replaced by another table|cannot be written"):
            write()
    assert run_ids(tmp_path) == ["a"]


def test_nothing_is_written_behind_the_log_of_a_younger_table(tmp_path: Path) -> None:
    """Readers stumble over a log with a gap."""
    loaded(tmp_path)
    table = opened(tmp_path)
    for n in range(5):
        table.append(tombstone(f"{n}"))
    (tmp_path / "purged").rename(tmp_path / "aside")
    with pytest.raises(TableWriteError):
        table.changed_by_others()
    loaded(tmp_path)
    for write in (
        lambda: table.append(tombstone("nowhere")),
        table.fence,
        table.changed_by_others,
        lambda: table.delete(pa.table({"run_id": ["0"]})),
    ):
        with pytest.raises(LakeRefusedError, match="was replaced by another table"):
            write()
    assert DeltaTable(tmp_path / "purged").version() == 0
    assert [path.name for path in (tmp_path / "purged" / "_delta_log").iterdir()] == [
        f"{0:020}.json"
    ]


@contextmanager
def open_for_writing_anew(root: Path) -> Iterator[None]:
    """Make the table that is missing."""
    create_table(Storage(str(root)), LAKE_TABLES["risks"])
    table = FolderTable(Storage(str(root)), LAKE_TABLES["risks"], DeltaTable(root / "risks"))
    table.append(rows_of(FIRST)["risks"])
    yield


def test_a_lake_whose_table_was_replaced_is_told(tmp_path: Path) -> None:
    """In one line."""
    with open_for_writing(tables_in(tmp_path), "a test") as lake:
        (tmp_path / "risks").rename(tmp_path / "_aside")
        with open_for_writing_anew(tmp_path), pytest.raises(LakeRefusedError, match="was replaced"):
            lake.delete("risks", run_keys([run_of(FIRST)]))
