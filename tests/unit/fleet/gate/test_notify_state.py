"""What was reported is kept in a file: it survives faults, and is for one report at a time."""

from __future__ import annotations

import fcntl
import json
import stat
from pathlib import Path

import pytest
from support.jobs.spool_command import Answer, Run
from support.servers.receiver import Receiver


def test_two_reports_at_once_tell_it_once(report: Run, receiver: Receiver, state: Path) -> None:
    """The second leaves it to the first."""
    state.parent.mkdir()
    with state.with_name("reported.json.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert report() == Answer(
            0, "another report is on its way: it tells what has changed\n", ""
        )
    assert receiver.posts == []
    assert report().code == 0


def test_the_state_is_for_its_user_and_whole(report: Run, state: Path) -> None:
    """It appears under its name only when all of it is there."""
    report()
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert sorted(path.name for path in state.parent.iterdir()) == [
        "reported.json",
        "reported.json.lock",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "\ufffd",
        "[" * 100_000,
        '{"version": 1, "scope": {}, "reports": 1, "reported": [{}]}',
        '{"version": 1, "scope": {}, "reports": 1, "reported": 7}',
        '{"version": 1, "scope": {}, "reports": "many", "reported": []}',
    ],
)
def test_a_damaged_state_is_one_line(
    report: Run, receiver: Receiver, state: Path, content: str
) -> None:
    """Nothing is told on its word."""
    state.parent.mkdir()
    state.write_text(content)
    answer = report()
    assert (answer.code, answer.out) == (2, "")
    assert f"{state} is damaged: remove it" in answer.err
    assert receiver.posts == []


def test_a_state_of_other_filters_is_refused(report: Run, receiver: Receiver, state: Path) -> None:
    """By it, all that lies outside of them would count as resolved."""
    report()
    answer = report("--env", "prod")
    assert (answer.code, answer.out) == (2, "")
    assert f"{state} belongs to another store or to other filters" in answer.err
    changed = json.loads(state.read_text())
    state.write_text(json.dumps({**changed, "version": 2}))
    assert "from another release" in report().err
    assert len(receiver.posts) == 1


def test_a_state_that_cannot_be_written_is_told_before_anybody_is(
    report: Run, receiver: Receiver, state: Path
) -> None:
    """A folder in its place, or a file in place of its folder."""
    state.mkdir(parents=True)
    answer = report()
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be read" in answer.err
    state.rmdir()
    state.with_name("reported.json.lock").unlink()
    state.parent.rmdir()
    state.parent.write_text("")
    answer = report()
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be written" in answer.err
    assert receiver.posts == []


def test_without_a_state_each_report_has_its_own(
    run: Run, receiver: Receiver, lake: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the user's folder: by store, filters and address, whichever folder one stands in."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(lake.parent)
    assert run("notify", "--slack", receiver.url).out == "reported: 3 new, 0 resolved\n"
    assert run("notify", "--slack", receiver.url, "--lake", "lake").out == (
        "nothing has changed since the last report\n"
    )
    assert run("notify", "--slack", f"{receiver.url}2").out == "reported: 3 new, 0 resolved\n"
    told = run("notify", "--slack", receiver.url, "--pipeline", "orders")
    assert told.out == "reported: 3 new, 0 resolved\n"
    assert len(list((tmp_path / "home/conformare/notify").glob("*.json"))) == 3


def test_a_store_without_runs_resolves_nothing(report: Run, receiver: Receiver, lake: Path) -> None:
    """It is more likely one that is not mounted."""
    report()
    for folder in ("orders", "bills", "old"):
        for file in (lake / folder).glob("*.json"):
            file.unlink()
    assert report().code == 2
    assert len(receiver.posts) == 1
