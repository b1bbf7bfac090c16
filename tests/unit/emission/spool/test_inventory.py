"""What waits in a spool, as somebody sees it who takes nothing over."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest
from support.jobs.spooled import DESTINATION, hold, leave, reject

from conformare import SpoolError
from conformare.emission.spool import Spool
from conformare.emission.spool._inventory import take_inventory, waiting_names


def test_an_entry_tells_with_whom_and_why_it_waits(tmp_path: Path) -> None:
    """Of a running process, of one that has ended, and of what was refused."""
    holder, (held,) = hold(tmp_path, ["run-1"])
    leave(tmp_path, "run-2", cause="the broker is away\n")
    reject(tmp_path, "run-3", "too large")
    found = {entry.run_id: entry for entry in take_inventory(tmp_path)}
    assert {run_id: (entry.where, entry.why) for run_id, entry in found.items()} == {
        "run-1": ("held", None),
        "run-2": ("left", "the broker is away"),
        "run-3": ("rejected", "too large"),
    }
    entry = found["run-1"]
    assert (entry.file, entry.destination, entry.pipeline) == (held, DESTINATION, "pipeline")
    assert (entry.size_bytes, entry.damage) == (held.stat().st_size, None)
    assert abs((datetime.now(timezone.utc) - entry.recorded_at).total_seconds()) < 60
    holder.leave()


def test_a_look_takes_nothing_over(tmp_path: Path) -> None:
    """The next process still can, also while somebody looks."""
    files = leave(tmp_path, "run-1", "run-2")
    before = sorted(tmp_path.rglob("*"))
    inventory = take_inventory(tmp_path)
    next(inventory)
    assert sorted(tmp_path.rglob("*")) == before
    assert Spool(tmp_path, DESTINATION, 1).adopt() == files


def test_a_folder_in_the_making_is_not_touched(tmp_path: Path) -> None:
    """To lock it would make its process begin anew."""
    folder = tmp_path / DESTINATION.folder_name / "process"
    folder.mkdir(parents=True)
    assert list(take_inventory(tmp_path)) == []
    assert list(folder.iterdir()) == []


def test_a_damaged_file_is_an_entry_too(tmp_path: Path) -> None:
    """Whatever it is called; its age is that of the file, where the name does not tell it."""
    good, broken = leave(tmp_path, "run-1", "run-2")
    broken.write_bytes(broken.read_bytes()[:-1])
    foreign = good.with_name("x.emission")
    foreign.write_bytes(b"of a stranger")
    os.utime(foreign, (0, 0))
    (good.parent / "folder.emission").mkdir()
    os.mkfifo(good.parent / "pipe.emission")
    found = {entry.file.name: entry for entry in take_inventory(tmp_path)}
    assert found[good.name].damage is None
    assert found[broken.name].damage == "it is damaged: its checksum differs"
    assert (found[broken.name].run_id, found[broken.name].destination) == (None, None)
    assert found["x.emission"].recorded_at == datetime.fromtimestamp(0, timezone.utc)
    # What is no file is nobody's emission; to open a pipe would wait for its other end.
    assert set(found) == {good.name, broken.name, "x.emission"}


def test_what_is_delivered_meanwhile_is_left_out(tmp_path: Path) -> None:
    """It does not wait any more."""
    _, second, _ = leave(tmp_path, "run-1", "run-2", "run-3")
    inventory = take_inventory(tmp_path)
    found = [next(inventory)]
    second.unlink()
    assert [entry.run_id for entry in (*found, *inventory)] == ["run-1", "run-3"]


def test_no_spool_is_an_empty_one(tmp_path: Path) -> None:
    """Nothing was recorded yet; nothing is made either."""
    assert list(take_inventory(tmp_path / "spool")) == []
    assert waiting_names(tmp_path / "spool") == set()
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_cannot_be_looked_at_is_an_error_of_ours(tmp_path: Path) -> None:
    """With the folder and the system's reason."""
    (tmp_path / "rejected").write_text("")
    with pytest.raises(SpoolError, match="cannot be looked at: Not a directory"):
        list(take_inventory(tmp_path))
