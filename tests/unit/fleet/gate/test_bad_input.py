"""Wrong use and stores that cannot be read: one line that says what to do, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.jobs.spool_command import Answer, Run

COMMANDS = [
    ["status"],
    ["drift"],
    ["owners"],
    ["impact", "--pipeline", "orders"],
    ["sensitive"],
    ["expectations"],
    ["show", "o-1"],
    ["check"],
    ["notify", "--slack", "http://127.0.0.1:1/x"],
    ["acknowledge", "o-1", "clean", "--by", "amy", "--note", "fine"],
]


NOBODY = 65_534


def refused(answer: Answer) -> str:
    """Return the one line that a command has told."""
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert answer.err.removesuffix("\n").isprintable()
    return answer.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_lake_is_one_line(run: Run, tmp_path: Path, command: list[str]) -> None:
    """Which names the place."""
    place = tmp_path / "none\x1b[2J"
    assert "none" in refused(run(*command, "--lake", place))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_damaged_store_is_one_line(run: Run, lake: Path, command: list[str]) -> None:
    """Which names the file."""
    (lake / "orders/o-1.json").write_text("{")
    assert "o-1.json is damaged" in refused(run(*command))


def test_a_store_without_permission_is_one_line(run: Run, lake: Path) -> None:
    """Which says that it is one of permission."""
    (lake / "orders/o-1.json").chmod(0)
    if os.geteuid() == 0:  # who may read everything
        for folder in (lake, *lake.parents):
            folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(NOBODY)
    try:
        answer = run("status")
    finally:
        os.seteuid(os.getuid())
    assert "o-1.json cannot be read: permission denied" in refused(answer)


def test_an_option_is_refused_before_the_store_is_opened(run: Run, tmp_path: Path) -> None:
    """A wrong option is told at once, not after a minute of reading."""
    nowhere = ["--lake", str(tmp_path / "none")]
    assert "not a kind of finding" in refused(run("check", "--fail-on", "faild", *nowhere))
    assert "say whom to tell" in refused(run("notify", *nowhere))


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["status", "--since", "yesterday"], "'yesterday' is neither a time"),
        (["status", "--since", "2026-13-01"], "'2026-13-01' is neither a time"),
        (["status", "--since", "-7d"], "'-7d' is neither a time"),
        (["status", "--since", "999999999w"], "too long"),
        (["status", "--since", "0d"], "'0d' is not a span"),
        (["status", "--max-age", "26"], "'26' is not a span such as 26h"),
        (["status", "--max-age", "0h"], "'0h' is not a span"),
        (["status", "--max-age", "٣d"], "is not a span"),
        (["status", "--tag", "team"], "'team' is not of the form name=value"),
        (["status", "--tag", "=x"], "'=x' is not of the form name=value"),
        (["status", "--tag", "a=1", "--tag", "a=2"], "one value of each tag"),
        (["status", "--pipeline", ""], "--pipeline is empty"),
        (["status", "--env", ""], "--env is empty"),
        (["status", "--lake", ""], "--lake is empty"),
        (["status", "--pipeline", "\udcff"], "not in this locale's encoding"),
        (["status", "--storage-options", ""], "--storage-options is empty"),
        (["status", "--storage-options", "/nowhere"], "/nowhere cannot be read"),
        (["sensitive", "--as-of", "soon"], "'soon' is not a time"),
        (["check", "--fail-on", ""], "--fail-on is empty"),
        (["check", "--fail-on", "failed,,drift"], "'' is not a kind of finding"),
        (["check", "--format", "yaml"], "yaml"),
        (["show"], "RUN_ID"),
        (["show", ""], "run-id is empty"),
        (["nothing"], "No such command"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(run: Run, arguments: list[str], told: str) -> None:
    """It says what would be right."""
    assert told in refused(run(*arguments))


def test_without_a_lake_it_is_asked_for(run: Run) -> None:
    """By its name."""
    assert "--lake" in refused(run("status"))
