"""What `conformare doctor` says of a job's settings and its spool."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.jobs.spooled import hold, leave, reject

from conformare.cli._spool_check import LEAST_FREE_BYTES, judge_space, look
from conformare_schemas.findings import Asked, Finding, Role, State

JOB = Asked(Role.JOB, None, "conformare.")
SINK = Asked(Role.SINK, None, "conformare.")
MEGABYTE = 10**6
OTHERS = 65_534
"""The user that nobody is."""


def told(findings: Iterable[Finding], state: State) -> list[str]:
    """The lines of a state, without those of the settings."""
    return [one.line for one in findings if one.state is state and one.part == "spool"]


def test_a_spool_that_is_not_there_yet_is_well(root: Path) -> None:
    """The first job makes it; doctor does not."""
    lines = told(look(JOB), State.GOOD)
    assert lines[0] == f"there is no {root} yet, and this user may make it"
    assert lines[1] == f"no run waits in {root}"
    assert not root.exists()


def test_a_sink_has_no_spool(root: Path) -> None:
    """Unless a job has run there."""
    assert told(look(SINK), State.UNCHECKED)
    leave(root, "run-1")
    assert told(look(SINK), State.MEND)


def test_nothing_is_left_in_a_spool(root: Path) -> None:
    """It is written to, to see whether that can be."""
    root.mkdir(mode=0o700)
    assert told(look(JOB), State.MEND) == []
    assert list(root.iterdir()) == []


def test_runs_that_wait_are_told_by_what_is_to_be_done(root: Path) -> None:
    """Those of a running job are its own; the others are nobody's any more."""
    leave(root, "run-1", "run-2", cause="hunter2")
    reject(root, "run-3", "too large")
    spool, _ = hold(root, ["run-4"])
    found = list(look(JOB))
    spool.leave()
    assert [line.partition(":")[0] for line in told(found, State.MEND)] == [
        f"2 run(s) of ended jobs wait in {root}",
        f"brokers rejected 1 run(s) in {root}",
    ]
    assert "1 run(s) wait with running jobs, the oldest run for 0:00:0" in str(
        told(found, State.GOOD)
    )
    assert "hunter2" not in str(found)


def test_a_damaged_file_is_told(root: Path) -> None:
    """It can be deleted, and nothing else."""
    (file,) = leave(root, "run-1")
    file.write_bytes(b"nothing")
    assert told(look(JOB), State.MEND)[-1].startswith(f"1 file(s) in {root} cannot be read")


def test_a_spool_that_others_may_write_to_is_told(root: Path) -> None:
    """Below it as well: they could have anything sent with this user's credentials."""
    leave(root, "run-1")
    (below,) = root.iterdir()
    below.chmod(0o777)
    (line,) = told(look(JOB), State.MEND)
    assert line.startswith(f"other users may write to {below}; take that right away")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_spool_of_another_user_is_told(root: Path) -> None:
    """A job started once by root and once by a service has two users."""
    root.mkdir(mode=0o700)
    os.chown(root, OTHERS, OTHERS)
    (line,) = told(look(JOB), State.MEND)
    assert line == f"{root} belongs to another user; name a folder of your own"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("below", "fix"),
    [("", "belongs to another user; name"), ("spool", "cannot be looked at (Permission denied)")],
)
def test_a_spool_that_another_user_has_closed_is_told(
    below: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who is not root cannot even list it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / below
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("CONFORMARE_SPOOL_DIR", str(folder))
        list(look(JOB))
        os.seteuid(OTHERS)
        try:
            (line,) = told(look(JOB), State.MEND)
        finally:
            os.seteuid(0)
    assert line.startswith(f"{folder} {fix}")


def test_a_spool_on_a_file_is_told(root: Path) -> None:
    """Somebody has named a file."""
    root.write_text("no folder", encoding="utf-8")
    (line,) = told(look(JOB), State.MEND)
    assert line.startswith(f"{root} cannot be written (Not a directory)")


def test_settings_that_a_job_would_refuse_are_told_without_their_values(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spool is looked at all the same."""
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"enable.idempotence": "hunter2"}')
    settings, *spool = look(JOB)
    assert (settings.part, settings.state) == ("settings of the job", State.MEND)
    assert "enable.idempotence must be true" in settings.line
    assert "hunter2" not in settings.line
    assert str(root) in spool[0].line


def test_runs_that_are_kept_in_memory_alone_are_advised_against(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No spool is looked for."""
    monkeypatch.setenv("CONFORMARE_DURABILITY", "memory")
    assert len(told(look(JOB), State.ADVICE)) == 1
    assert not root.exists()


@pytest.mark.parametrize(
    ("used", "free", "limit", "state", "fix"),
    [
        (0, LEAST_FREE_BYTES - 1, None, State.MEND, "make room there"),
        (0, LEAST_FREE_BYTES, None, State.GOOD, ""),
        (900 * MEGABYTE, 10**12, 1000 * MEGABYTE, State.MEND, "conformare spool send"),
        (100 * MEGABYTE, 800 * MEGABYTE, 1000 * MEGABYTE, State.ADVICE, "set CONFORMARE_SPOOL_MAX"),
        (100 * MEGABYTE, 900 * MEGABYTE, 1000 * MEGABYTE, State.GOOD, ""),
    ],
)
def test_room_for_runs_that_come(
    used: int, free: int, limit: int | None, state: State, fix: str
) -> None:
    """On the disk, and in what the spool may take of it."""
    (found,) = judge_space(Path("/spool"), used, free, limit)
    assert found.state is state
    assert fix in found.line
    assert "/spool" in found.line


def test_the_disk_is_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of the folder that is there already."""
    asked: list[Path] = []

    def usage(path: Path) -> shutil._ntuple_diskusage:
        asked.append(path)
        return shutil._ntuple_diskusage(10, 5, 5)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert "make room" in told(look(JOB), State.MEND)[0]
    assert asked == [root.parent]
