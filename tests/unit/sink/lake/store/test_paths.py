"""A path of this machine is taken as it is written, or refused: no lake lies anywhere else."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lakes.landed import land, tables_in
from support.messages.records import make_record

from conformare_schemas import arrow_schema
from conformare_sink.errors import LakeRefusedError
from conformare_sink.lake.lake import open_for_writing
from conformare_sink.lake.store.storage import Storage
from conformare_sink.lake.tables.definition import create_table
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.folder_table import FolderTable
from conformare_sink.lake.tables.own import PURGED
from conformare_sink.lake.tables.tables import require_lake, select_rows

AWKWARD = "ab %25#?*~+&=;,:@!$'\"()[]{}<>|^`.ü\u0308é日😀"
names = (
    st.text(st.sampled_from(AWKWARD), min_size=1, max_size=12)
    .filter(lambda name: name.strip() and name.strip("."))
    .filter(lambda name: not name.lower().startswith(("s3:", "gs:", "az:", "file:")))
)


@contextmanager
def in_folder() -> Iterator[Path]:
    """Be in an empty folder for the time of a block."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Path(folder)
        finally:
            os.chdir(before)


@settings(max_examples=40)
@given(name=names)
def test_a_table_is_where_its_lake_was_named_to_be(name: str) -> None:
    """Made, appended to, deleted from, compacted and asked; and nothing is anywhere else."""
    with in_folder() as folder:
        try:
            storage = Storage(name)
        except LakeRefusedError:
            assert [*folder.iterdir()] == []
            return
        schema = arrow_schema(PURGED.columns)
        table = FolderTable(storage, PURGED, create_table(storage, PURGED))
        for run_id in "abc":
            table.append(pa.table([[run_id], ["p"], [None]], schema=schema))
        assert table.delete(pa.table({"run_id": ["b"]})) == 1
        assert table.compact().compacted == 2
        storage.write("note", b"1")
        found = select_rows(FolderTables(storage), "SELECT run_id FROM purged", "purged")
        assert sorted(row["run_id"] for row in found) == ["a", "c"]
        assert [path.name for path in folder.iterdir()] == [name]
        assert {path.name for path in (folder / name).iterdir()} == {"note", "purged"}


@pytest.mark.parametrize("name", ["env=prod%2Feu", "a%20b", "%7E", "a\\b", "a[b", "a|b"])
def test_what_deltalake_takes_for_another_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Also behind a link, and above the lake; nothing is made at the decoded name."""
    real = tmp_path / name
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    for root in (real, real / "lake", tmp_path / "link", tmp_path / "link" / "lake"):
        with pytest.raises(LakeRefusedError, match="choose another name"):
            tables_in(root)
    assert {path.name for path in tmp_path.iterdir()} == {name, "link"}
    assert [*real.iterdir()] == []


def test_names_that_look_alike_are_two_lakes(tmp_path: Path) -> None:
    """One letter, or a letter and a sign on it."""
    both = [unicodedata.normalize(form, "lac é") for form in ("NFC", "NFD")]
    for name in both:
        with open_for_writing(tables_in(tmp_path / name), "a test") as lake:
            land(lake, make_record(name))
    for name in both:
        runs = DeltaTable(tmp_path / name / "runs").to_pyarrow_table().column("run_id")
        assert runs.to_pylist() == [name]


def test_a_lake_is_found_by_every_way_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path from here, one with dots, a URL, a link, a slash at its end."""
    place = tmp_path / "my lake?"
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "deep").symlink_to(tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere" / "link").symlink_to(place)
    monkeypatch.chdir(tmp_path)
    with open_for_writing(tables_in("my lake?"), "a test") as lake:
        address = lake.address
    roots = [
        *("./my lake?", "my lake?/", "my lake?//", f"{place}/.", "deep/../link"),
        *(f"file://{tmp_path}/my%20lake%3F", f"file:{tmp_path}/my%20lake%3F/"),
        f"FILE://localhost{tmp_path}/my%20lake%3F",
    ]
    for root in roots:
        tables = tables_in(root)
        require_lake(tables)
        assert tables.storage.address == address == f"file:{place}"


def test_a_tilde_is_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell would have put the home folder in its place."""
    monkeypatch.chdir(tmp_path)
    with open_for_writing(tables_in("~"), "a test"):
        pass
    assert (tmp_path / "~" / "runs").is_dir()
