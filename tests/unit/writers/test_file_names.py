"""Every run that can be recorded has files of its own, on whatever file system."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import conformare as cf
from conformare.record._arguments import MOST_CHARACTERS
from conformare.writers import make_writer
from conformare.writers._file_names import file_name

SHORTEST_LIMIT = 143
"""Bytes of a name on an encrypted Linux disk (eCryptfs); others have 255."""
AROUND = len("pipeline=") + len(".parquet")

identities = st.text(
    st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=MOST_CHARACTERS
)

SAMPLES = [
    "run-1",
    "r" * 251,
    "R" * 251,
    "r" * 255,
    "Ж" * 43,
    "注" * 31,
    "\U0001f600" * 255,
    "Orders",
    "orders",
    "ORDERS",
    "a/b",
    "a_b",
    "a\\b",
    "a%2Fb",
    "..",
    ".",
    " ",
    "~",
    "-x",
    "_x",
    ".x",
    "x.",
    "x ",
    "con",
    "CON",
    "com1",
    "caf\u00e9",
    "cafe\u0301",
    "\u212b",
    "\u00c5",
    "A\u030a",
    "\ufb01",
    "fi",
    "straße",
    "STRASSE",
    "İ",
    "i",
    "scheduled__2026-01-01T00:00:00+00:00",
    *(f"{'p' * n}" for n in (119, 120, 121, 122)),
    *(f"{'p' * 200}{n}" for n in range(3)),
]


def folded(name: str) -> set[str]:
    """Return a name as file systems see it that ignore case or spelling."""
    case = name.casefold()
    return {
        unicodedata.normalize("NFC", case),
        unicodedata.normalize("NFD", case),
        unicodedata.normalize("NFKC", case),
        name.upper(),
    }


@given(one=identities, other=identities)
@example("Orders", "orders")
@example("caf\u00e9", "cafe\u0301")
@example("a" * 200, "A" * 200)
def test_no_two_identities_share_a_name(one: str, other: str) -> None:
    """Even where case is ignored, and spellings are made one."""
    assert file_name(one) == file_name(one)
    if one != other:
        assert not folded(file_name(one)) & folded(file_name(other))


def test_no_two_samples_share_a_name() -> None:
    """Nor a name that another one has as its own."""
    names = [file_name(sample) for sample in SAMPLES]
    again = [file_name(name) for name in names if name not in SAMPLES]
    assert len({name.casefold() for name in [*names, *again]}) == len(names) + len(again)


@given(identity=identities)
def test_a_name_is_one_that_every_file_system_takes(identity: str) -> None:
    """Of letters that all know, short enough, hidden from nobody."""
    name = file_name(identity)
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set('/\\:*?"<>| .')
    assert len(name) + AROUND <= SHORTEST_LIMIT
    assert name[0] not in "_-."


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("run-1", "run-1"),
        ("0198c0de-0000-7000-8000-000000000000", "0198c0de-0000-7000-8000-000000000000"),
        ("Orders", "%4Frders"),
        ("a/b", "a%2Fb"),
        ("_x", "%5Fx"),
        ("con", "%63on"),
    ],
)
def test_a_name_is_the_identity_where_that_is_possible(identity: str, name: str) -> None:
    """Other characters are encoded, as readers of partitions decode them."""
    assert file_name(identity) == name


def test_a_long_name_can_be_read_by_people() -> None:
    """As far as it goes, and then a digest."""
    assert re.fullmatch(r"Nightly_load_of~[0-9a-f]{32}", file_name("Nightly load of " + "é" * 99))


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_whatever_run_is_accepted_is_written_and_found(tmp_path: Path, kind: str) -> None:
    """Its first record stays, and each is looked up within its pipeline."""
    dest = {"writer": kind, "path": str(tmp_path)}
    for n, sample in enumerate(SAMPLES):
        pipeline = sample if sample.strip() else "p"
        for title in ("first", "second"):
            cf.record_run(pipeline, run_id=sample, title=title, dest=dest, if_run_exists="skip")
        assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == n + 1
    writer: Any = make_writer(dest)
    assert all(writer.has_run(s if s.strip() else "p", s) for s in SAMPLES)
    assert not writer.has_run("orders", "Orders")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    read = _json_row if kind == "json" else _parquet_row
    rows = [read(file) for file in files]
    assert sorted(row["run_id"] for row in rows) == sorted(SAMPLES)
    assert {row["title"] for row in rows} == {"first"}


def _json_row(file: Path) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(file.read_text("utf-8"))["runs"][0]
    return row


def _parquet_row(file: Path) -> dict[str, Any]:
    rows: list[dict[str, Any]] = pq.ParquetFile(file).read().to_pylist()
    (row,) = rows
    return row


def test_a_folder_of_files_is_read_as_one(tmp_path: Path) -> None:
    """By the columns of the files: the name of a folder may be short for that of a pipeline."""
    pipelines = {"orders", "Orders", "a/b", "é" * 99}
    for pipeline in pipelines:
        cf.record_run(pipeline, dest={"writer": "parquet", "path": str(tmp_path)})
    runs = tmp_path / "runs"
    assert set(pq.read_table(runs, partitioning=None)["pipeline"].to_pylist()) == pipelines
    sql = "SELECT pipeline FROM read_parquet(?, hive_partitioning=false)"
    assert {row[0] for row in duckdb.execute(sql, [f"{runs}/*/*"]).fetchall()} == pipelines
