"""How the tables of a lake in a folder are made, and when they are not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable
from support.lakes.landed import tables_in

from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.layout import commit_file
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.tables import LAKE_TABLES


def test_a_table_whose_creation_broke_off_is_created(tmp_path: Path) -> None:
    """The log's folder is there before its first commit; a start after that must not fail."""
    for table in LAKE_TABLES:
        (tmp_path / table / "_delta_log").mkdir(parents=True)
    assert tables_in(tmp_path).open().keys() == LAKE_TABLES.keys()


def test_who_comes_second_leaves_a_table_as_it_is(tmp_path: Path) -> None:
    """Between the look and the commit of one process, another may have created it."""
    storage = tables_in(tmp_path).storage
    create_table(storage, LAKE_TABLES["runs"])
    first = (tmp_path / commit_file("runs", 0)).read_bytes()
    assert create_table(storage, LAKE_TABLES["runs"]).version() == 0
    assert (tmp_path / commit_file("runs", 0)).read_bytes() == first


def test_a_folder_with_files_is_not_made_a_table(tmp_path: Path) -> None:
    """Somebody's files would lie in ours."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(LakeRefusedError, match="has files"):
        create_table(tables_in(tmp_path).storage, LAKE_TABLES["runs"])
    assert not (tmp_path / "runs" / "_delta_log").exists()


def test_a_lake_is_opened_again_although_a_table_of_it_is_gone(tmp_path: Path) -> None:
    """It is made anew, empty; `runs` is by what a lake is known."""
    with open_for_writing(tables_in(tmp_path), "a test"):
        pass
    for file in sorted((tmp_path / "risks").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (tmp_path / "risks").rmdir()
    with open_for_writing(tables_in(tmp_path), "a test"):
        assert DeltaTable(tmp_path / "risks").to_pyarrow_table().num_rows == 0


def test_of_several_that_create_a_table_one_does(tmp_path: Path) -> None:
    """All have the same one then; deltalake's own way would have replaced the first's."""
    for number in range(10):
        storage = tables_in(tmp_path / str(number)).storage
        start = threading.Barrier(3)

        def create(_: int, storage: Storage = storage, start: threading.Barrier = start) -> str:
            start.wait()
            return str(create_table(storage, LAKE_TABLES["runs"]).metadata().id)

        with ThreadPoolExecutor(3) as pool:
            assert len({*pool.map(create, range(3))}) == 1
        assert DeltaTable(tmp_path / str(number) / "runs").version() == 0
