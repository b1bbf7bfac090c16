"""What is no store, or a damaged one, is told in one line that says what to do."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from support.fleet.asked import answers, differences, expected
from support.fleet.history import row
from support.fleet.invented import START, Invention
from support.fleet.lake import FleetLake
from support.fleet.written import write_files

from conformare._errors import FleetError
from conformare.fleet import Fleet
from conformare.fleet.questions import impact, run_view
from conformare.fleet.stores import FleetStore, open_store
from conformare_schemas import CONTRACT_VERSION, arrow_schema, table_columns

EMISSIONS = Invention(Random(5), pipelines=3).emissions(40)  # noqa: S311 - the same fleet each time
NOBODY = 65_534


def _ask_everything(place: str, prefix: str = "") -> FleetStore:
    store = open_store(place, table_prefix=prefix)
    answers(Fleet(store, now=START), [START])
    return store


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Opens a place and asks everything; returns the error, without the name of the place."""

    def of(place: str | Path | None = None, prefix: str = "") -> str:
        name = str(tmp_path if place is None else place)
        with pytest.raises(FleetError) as caught:
            _ask_everything(name, prefix)
        text = str(caught.value)
        assert "\n" not in text
        assert len(text) < 600 + len(name)
        return text.replace(str(tmp_path), "…")

    return of


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of each kind, to be copied."""
    root = tmp_path_factory.mktemp("written")
    FleetLake(root / "lake").land(EMISSIONS)
    write_files("json", root / "json", EMISSIONS)
    write_files("parquet", root / "parquet", EMISSIONS)
    return root


@pytest.fixture
def lake(written: Path, tmp_path: Path) -> Path:
    """A lake to be harmed."""
    return Path(shutil.copytree(written / "lake", tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("", "the lake has no name"),
        ("/nowhere at all", "is not a lake: it has no table runs; correct --lake"),
        (__file__, "is not a lake"),
        ("ftp://host/lake", "ftp:// is not supported"),
        ("s3://", "write s3://bucket/folder"),
        ("a\x00b", "cannot be printed"),
        ("a\nb", "cannot be printed"),
    ],
)
def test_what_is_no_lake_is_told(refusal: Callable[..., str], place: str, told: str) -> None:
    assert told in refusal(place)


def test_an_empty_folder_is_no_lake(refusal: Callable[..., str]) -> None:
    assert refusal() == (
        "… is not a lake: it has no table runs; correct --lake, or start the sink, which makes it"
    )


def test_a_table_of_a_lake_is_no_lake(refusal: Callable[..., str], lake: Path) -> None:
    assert "is not a lake" in refusal(lake / "runs")


def test_another_prefix_is_told_with_the_name_of_the_table(
    refusal: Callable[..., str], lake: Path
) -> None:
    assert "no table conformare_runs" in refusal(lake, "conformare_")


def test_an_empty_lake_has_empty_answers(tmp_path: Path) -> None:
    lake = FleetLake(tmp_path)
    fleet = Fleet(open_store(str(tmp_path)), now=START)
    assert not differences(answers(fleet, [START]), expected(lake.history, [START], START))


def _is_missing(lake: Path) -> None:
    shutil.rmtree(lake / "owners")


def _has_a_short_file(lake: Path) -> None:
    for file in (lake / "contexts").glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:200])


def _has_an_empty_file(lake: Path) -> None:
    for file in (lake / "risks").glob("*.parquet"):
        file.write_bytes(b"")


def _has_lost_a_file(lake: Path) -> None:
    for file in (lake / "contexts").glob("*.parquet"):
        file.unlink()


def _has_garbled_pages(lake: Path) -> None:
    for file in (lake / "contexts").glob("*.parquet"):
        content = file.read_bytes()
        file.write_bytes(content[:4] + bytes(byte ^ 0x5A for byte in content[4:-8]) + content[-8:])


def _has_a_commit_that_is_no_json(lake: Path) -> None:
    (lake / "runs/_delta_log/00000000000000000000.json").write_text("{ not json")


def _has_lost_its_first_commit(lake: Path) -> None:
    (lake / "contexts/_delta_log/00000000000000000000.json").unlink()


def _commit(lake: Path, table: str, action: object) -> None:
    (lake / table / "_delta_log/00000000000000000002.json").write_text(json.dumps(action))


def _has_an_unknown_feature(lake: Path) -> None:
    features = {"readerFeatures": ["madeUp"], "writerFeatures": ["madeUp"]}
    versions = {"minReaderVersion": 3, "minWriterVersion": 7}
    _commit(lake, "contexts", {"protocol": {**versions, **features}})


def _wants_a_later_reader(lake: Path) -> None:
    _commit(lake, "runs", {"protocol": {"minReaderVersion": 9, "minWriterVersion": 9}})


def _is_of_a_later_contract(lake: Path) -> None:
    run = row("runs", run_id="r", pipeline="p", ts=START, schema_version=CONTRACT_VERSION + 1)
    rows = pa.Table.from_pylist([run], schema=arrow_schema(table_columns("runs")))
    write_deltalake(str(lake / "runs"), rows, mode="append")


def _has_somebody_elses_table(lake: Path) -> None:
    shutil.rmtree(lake / "contexts")
    write_deltalake(str(lake / "contexts"), pa.table({"a": [1]}))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_is_missing, "has no table owners: restore it"),
        (_has_a_short_file, "is damaged or missing: restore it"),
        (_has_an_empty_file, "its file risks/part-"),
        (_has_lost_a_file, "is damaged or missing: restore it"),
        (_has_garbled_pages, "cannot be read: its file contexts/part-"),
        (_has_a_commit_that_is_no_json, "the log of its table runs is damaged"),
        (_has_lost_its_first_commit, "the log of its table contexts is damaged"),
        (_has_an_unknown_feature, "Feature 'madeUp' is not supported): upgrade deltalake"),
        (_wants_a_later_reader, "its table runs has what this release of deltalake cannot read"),
        (_is_of_a_later_contract, "upgrade conformare-stream here"),
        (_has_somebody_elses_table, "no column emission_id, so the sink did not make it"),
    ],
)
def test_one_line_says_what_to_do_where_a_lake(
    refusal: Callable[..., str], lake: Path, harm: Callable[[Path], None], told: str
) -> None:
    harm(lake)
    assert told in refusal(lake)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is damaged: restore or remove it"),
        (b"\xff\xfe\x00", "is damaged: restore or remove it"),
        (b"[" * 100_000, "is damaged: restore or remove it"),
        (b"[]", "is not a record of a run: remove it"),
        (b'{"name": "a package"}', "is not a record of a run: remove it"),
        (b'{"runs": 3}', "is not a record of a run: remove it"),
        (b'{"runs": [3]}', "is not a record of a run: remove it"),
        (b'{"runs": [{"run_id": "r"}]}', "is not a record of a run: remove it"),
        (
            b'{"runs": [{"run_id": "r", "pipeline": "p", "ts": "yesterday"}]}',
            "is damaged: restore or remove it",
        ),
        (
            (
                b'{"runs": [{"run_id": "r", "pipeline": "p", "ts": "2026-01-01T00:00:00Z", '
                b'"schema_version": 99}]}'
            ),
            "upgrade conformare-stream here",
        ),
    ],
)
def test_a_file_that_is_no_record_is_named(
    refusal: Callable[..., str], tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/r.json").write_bytes(content)
    assert told in refusal()


def test_a_record_of_an_earlier_release_has_fewer_columns(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    record = {"runs": [{"run_id": "r", "pipeline": "p", "ts": "2026-01-01T00:00:00Z"}]}
    (tmp_path / "p/r.json").write_text(json.dumps(record))
    store = _ask_everything(str(tmp_path))
    assert [run["run_id"] for run in store.found("r")] == ["r"]


def test_a_damaged_parquet_file_is_named(
    refusal: Callable[..., str], written: Path, tmp_path: Path
) -> None:
    shutil.copytree(written / "parquet", tmp_path, dirs_exist_ok=True)
    file = next(tmp_path.glob("runs/*/*.parquet"))
    file.write_bytes(file.read_bytes()[:300])
    assert f"{file.name} is damaged: restore or remove it" in refusal()
    pq.write_table(pa.table({"a": [1]}), file)
    assert f"{file.name} is not a record of a run: remove it" in refusal()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that everybody may enter, for the time of a test in which we are nobody."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    os.seteuid(0)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody, and come back")
@pytest.mark.parametrize("kind", ["lake", "json", "parquet"])
def test_what_may_not_be_read_is_told(written: Path, unprivileged: Path, kind: str) -> None:
    place = Path(shutil.copytree(written / kind, unprivileged / kind))
    for file in place.rglob("*"):
        if not file.is_dir():
            file.chmod(0)
    os.seteuid(NOBODY)
    with pytest.raises(FleetError, match=r"ermission denied") as caught:
        _ask_everything(str(place))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody, and come back")
@pytest.mark.parametrize("kind", ["lake", "json", "parquet"])
def test_a_folder_that_may_not_be_entered_is_told(
    written: Path, unprivileged: Path, kind: str
) -> None:
    place = Path(shutil.copytree(written / kind, unprivileged / kind))
    place.chmod(0)
    os.seteuid(NOBODY)
    with pytest.raises(FleetError, match=r"ermission denied"):
        _ask_everything(str(place))


def test_a_question_about_what_is_not_there_says_so(lake: Path) -> None:
    fleet = Fleet(open_store(str(lake)), now=START)
    for run_id in ("no such run", "'", "\udce9", "\x00", ""):
        with pytest.raises(FleetError, match="has no run"):
            run_view(fleet, run_id)
    with pytest.raises(FleetError, match="correct the location"):
        impact(fleet, location="s3://nowhere")
    with pytest.raises(FleetError, match="correct the name"):
        impact(fleet, pipeline="no such pipeline")
    with pytest.raises(FleetError, match="give one of"):
        impact(fleet)
