"""Of several processes one keeps known runs in a folder, and none harms another."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from support.lakes.known_runs import RECORDS, RUNS, Read, known_in, opened
from support.lakes.landed import land, tables_in

from conformare_sink.errors import LakeBusyError
from conformare_sink.lake.digests import run_digest
from conformare_sink.lake.known.folder import LOCK, MANIFEST
from conformare_sink.lake.known.known import KnownRuns
from conformare_sink.lake.known.place import known_place
from conformare_sink.lake.lake import Lake, open_for_writing

pytestmark = pytest.mark.usefixtures("few_are_kept")

READER = """
import sys
from contextlib import closing
from conformare_sink.lake.halves import array_of
from conformare_sink.lake.known.folder import LOCK, MANIFEST
from conformare_sink.lake.known.known import KnownRuns
from support.lakes.landed import tables_in

tables = tables_in(sys.argv[1])
asked = array_of([bytes.fromhex(digest) for digest in sys.argv[2:]])
with closing(KnownRuns(tables, tables.lake_id(), is_writer=False)) as known:
    for _ in sys.stdin:
        print(sum(known.contain(asked)), flush=True)
"""
"""Another process, who only reads, opens what a writer keeps; asked by a line, it tells what is known."""


def told(reader: Popen[str]) -> str:
    """Ask the other process how many of the runs are known."""
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write("how many?\n")
    reader.stdin.flush()
    return reader.stdout.readline().strip()


def test_two_writers_of_one_machine_do_not_share_a_folder(tmp_path: Path, read: Read) -> None:
    """The second takes the lake over, and what the first does with the folder harms nobody."""
    with opened(tmp_path) as lake:
        land(lake, *RECORDS[:3])
    first, second = (
        Lake(tables_in(tmp_path / "lake"), checkpoint=tmp_path / "checkpoint") for _ in range(2)
    )
    land(second, *RECORDS[3:9])
    with pytest.raises(LakeBusyError):
        land(first, RECORDS[10])
    first.close()
    assert known_in(second) == [*range(9)]
    second.close()
    read.since()
    with opened(tmp_path) as lake:
        assert known_in(lake) == [*range(9)]
        assert read.since() == (0, 6)


def test_a_process_that_reads_beside_the_writer_harms_it_not_and_is_not_harmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has what it opened, whatever the writer deletes of it."""
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", str(tmp_path / "cache"))
    with open_for_writing(tables_in(tmp_path / "lake"), "a test") as lake:
        land(lake, *RECORDS[:9])
        place = known_place(lake.lake_id)
        before = {*place.iterdir()}
        assert len(before) > 2
        digests = [run_digest(run).hex() for run in RUNS]
        command = [sys.executable, "-c", READER, str(tmp_path / "lake"), *digests]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with Popen(command, env=environment, stdin=PIPE, stdout=PIPE, text=True) as reader:
            assert told(reader) == "9"
            assert {*place.iterdir()} == before
            land(lake, *RECORDS[9:])
            for file in before - {place / LOCK, place / MANIFEST}:
                file.unlink(missing_ok=True)
            assert told(reader) == "9"
            reader.communicate()
        assert reader.returncode == 0
        assert known_in(lake) == [*range(20)]


def test_who_only_reads_keeps_nothing(tmp_path: Path, read: Read) -> None:
    """Neither where there is nothing, nor where something is old."""
    with opened(tmp_path, "another machine's") as lake:
        land(lake, *RECORDS[:5])
    place = tmp_path / "checkpoint"
    tables = tables_in(tmp_path / "lake")
    for n_known in (5, 8):
        kept = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
        read.since()
        found = KnownRuns(tables, tables.lake_id(), checkpoint=place, is_writer=False)
        with closing(found):
            assert found.among(RUNS) == {*RUNS[:n_known]}
        assert read.since() == ((1, 0) if n_known == 5 else (0, 3))
        assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == kept
        if n_known == 5:
            with opened(tmp_path):
                pass
            with opened(tmp_path, "another machine's") as lake:
                land(lake, *RECORDS[5:8])
