"""How commands print: a text of anybody's is one line, is shown as it is, and does no harm."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import conformare_demo
import conformare_sink.cli
from conformare_sink.cli import _console
from conformare_sink.cli._console import (
    joined,
    printable,
    progress,
    readable_errors,
    show_json,
    show_line,
    show_table,
    styled,
    tell,
    waiting,
)
from conformare_sink.errors import SinkError

# Whatever a terminal, rich or a reader may take for something else than text.
TELLING = st.sampled_from(
    "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\xad\u061c\u200b\u2028\u202e\ufeff[]/:\\{}"
)
SIGNS = TELLING | st.characters(exclude_categories=())
TEXTS = st.text(SIGNS) | st.sampled_from(["[/boom]", "[link=x]y", "a:bug:b", "[bold]x[/bold]"])

"""Tables take a while to lay out where the machine does something else as well."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Terminal(io.StringIO):
    """As much of a terminal as a program sees of it."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@contextmanager
def printed(to: io.TextIOBase | None = None) -> Iterator[io.TextIOBase]:
    """Take what is printed on standard output and standard error."""
    taken = to or io.StringIO()
    with redirect_stdout(taken), redirect_stderr(taken):
        yield taken


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/boom]", "[/boom]"),
        ("etl [daily] a:bug:b", "etl [daily] a:bug:b"),
        ("[link=https://x]y[/link]", "[link=https://x]y[/link]"),
        (r"C:\new\x1b", r"C:\new\x1b"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("one\ntwo\r\tthree\x7f", r"one\ntwo\r\tthree\x7f"),
        ("one\u2028two\u2029three\x85four", r"one\u2028two\u2029three\x85four"),
        ("\u202egnp.exe\u2066\u2069", r"\u202egnp.exe\u2066\u2069"),
        ("a\u200bb\ufeffc\u00add", r"a\u200bb\ufeffc\xadd"),
        ("\ud800\U000e0041", r"\ud800\U000e0041"),
        ("отчёт 日報 e\u0301 🦊\ufe0f\u00a0x\u3000y", "отчёт 日報 e\u0301 🦊\ufe0f\u00a0x\u3000y"),
    ],
)
def test_what_is_not_seen_is_shown_and_the_rest_stays(text: str, shown: str) -> None:
    """Markup is text; so are backslashes."""
    assert printable(text) == shown


@given(TEXTS)
def test_any_text_is_one_line_that_a_terminal_does_not_obey(text: str) -> None:
    """On both streams."""
    with printed() as out:
        show_line(text)
        tell(text)
    assert out.read() == ""
    out.seek(0)
    assert out.read() == f"{printable(text)}\n" * 2
    assert not UNSEEN.search(printable(text))


@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers()), max_size=4), TEXTS)
def test_any_text_stands_whole_in_a_table(rows: list[tuple[str, str, int]], title: str) -> None:
    """On one line of a file, however long it is."""
    with printed() as out:
        show_table(title, ("a", title, "n"), rows)
    out.seek(0)
    lines = out.read().split("\n")
    assert not UNSEEN.search("".join(lines))
    for row in rows:
        cells = [printable(row[0]), printable(row[1]), f"{row[2]:,}"]
        assert any(all(cell in line for cell in cells) for line in lines)


def test_a_long_name_is_whole_in_a_file_and_folded_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In neither is it cut."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    name = "".join(chr(ord("a") + n % 26) for n in range(500))
    with printed() as file:
        show_table("t", ("name", "n"), [(name, 1)])
    file.seek(0)
    assert any(name in line for line in file.read().splitlines())
    with printed(Terminal()) as terminal:
        show_table("t", ("name", "n"), [(name, 1)])
    terminal.seek(0)
    lines = COLOURS.sub("", terminal.read()).splitlines()
    assert max(map(len, lines)) <= 40
    assert "".join(line.split("│")[1].strip() for line in lines if "│" in line) == name


@given(TEXTS)
def test_on_a_terminal_the_only_codes_are_of_colours(text: str) -> None:
    """They are ours."""
    with printed(Terminal()) as out:
        show_table(text, (text,), [(text,), (styled(text, "red"),), (joined([text, text]),)])
    out.seek(0)
    assert not UNSEEN.search(COLOURS.sub("", out.read()))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_what_an_encoding_does_not_have_is_shown_as_an_escape(encoding: str) -> None:
    """Nothing is raised, whatever the locale."""
    bytes_out = io.BytesIO()
    with printed(io.TextIOWrapper(bytes_out, encoding=encoding)):
        show_line("日報")
        show_table("日報", ("日報",), [("日報",)])
        show_json(["日報", "\ud800"])
        with waiting("日報"):
            tell("日報")
        lines = bytes_out.getvalue().decode(encoding).splitlines()
    shown = "日報" if encoding == "utf-8" else r"\u65e5\u5831"
    assert lines[0] == shown
    assert json.loads(next(line for line in lines if line.startswith("["))) == ["日報", "\ud800"]


def test_a_terminal_without_dots_and_blocks_is_shown_what_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a spinner and a bar of what it has."""
    monkeypatch.setenv("TERM", "xterm")
    bytes_out = io.BytesIO()

    class AsciiTerminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    with printed(AsciiTerminal(bytes_out, encoding="ascii")):
        with waiting("日報"):
            tell("what is printed meanwhile stands above it")
        with progress("日報") as on_progress:
            on_progress(1, 2, "日報")
        shown = bytes_out.getvalue().decode("ascii")
    assert shown.count(r"\u65e5\u5831") > 1
    told = COLOURS.sub("", shown)
    assert r"1/2 messages, \u65e5\u5831, time left unknown" in told


def test_progress_tells_how_long_the_rest_takes_at_the_rate_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no terminal by a line now and then; what was done before is no part of it."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with progress("Replaying") as on_progress:
        for seconds, done in ((0, 5_000), (29, 7_900), (30, 8_000), (31, 8_100), (65, 11_500)):
            clock[0] = 100.0 + seconds
            on_progress(done, 20_000, f"{done} run(s)\x1b")
    assert capsys.readouterr().err.splitlines() == [
        r"Replaying: 8,000 of 20,000 messages, 8000 run(s)\x1b, 0:02:00 left",
        r"Replaying: 11,500 of 20,000 messages, 11500 run(s)\x1b, 0:01:25 left",
    ]


def test_progress_that_has_not_moved_yet_has_no_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor has what stands still where a replay has resumed."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with progress("Replaying") as on_progress:
        on_progress(600, 1_000, "nothing")
        clock[0] = 40.0
        on_progress(600, 1_000, "nothing")
    assert capsys.readouterr().err == (
        "Replaying: 600 of 1,000 messages, nothing, time left unknown\n"
    )


@given(st.dictionaries(TEXTS, TEXTS))
def test_json_has_names_exactly_as_they_are(value: dict[str, str]) -> None:
    """On one line of plain ASCII."""
    with printed() as out:
        show_json(value)
    out.seek(0)
    line = out.read()
    assert json.loads(line) == value
    assert line.isascii()
    assert line.count("\n") == 1
    assert not UNSEEN.search(line)


def test_what_is_logged_is_one_line_and_a_traceback_keeps_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names in both are printable."""
    monkeypatch.setattr(logging.getLogger("of_a_test"), "propagate", False)

    def fail() -> None:
        raise SinkError("\x1b[2J\nof " + "\x9b")

    @readable_errors
    def command() -> None:
        try:
            fail()
        except SinkError:
            logging.getLogger("of_a_test").exception("of %s", "a\nb\x1b[31m")

    command()
    told = capsys.readouterr().err.splitlines()
    assert told[0] == r"of a\nb\x1b[31m"
    assert told[1] == "Traceback (most recent call last):"
    assert told[-2:] == [r"conformare_sink.errors.SinkError: \x1b[2J", r"of \x9b"]


def test_a_full_disk_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """By a command whose output goes to a file there."""

    @readable_errors
    def command() -> None:
        show_line("a result")

    with io.FileIO("/dev/full", "w") as file:
        full = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        with redirect_stdout(full), pytest.raises(typer.Exit):
            command()
        full.detach()
    told = capsys.readouterr().err
    assert told == "error: the output cannot be written: [Errno 28] No space left on device\n"


def test_no_other_module_prints() -> None:
    """What the tests above say of this module holds for every command, then."""
    modules = [
        file
        for package in (conformare_sink.cli, conformare_demo)
        for file in Path(str(package.__file__)).parent.rglob("*.py")
        if file.name not in {"_console.py", "_training.py"}
    ]
    assert len(modules) > 20
    assert {str(file): found for file in modules if (found := ways_to_print(file))} == {}


def ways_to_print(file: Path) -> set[str]:
    """What a module uses that prints past the console."""
    used = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            used |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            used.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
    return used & {"rich", "print", "echo", "secho", "stdout", "stderr", "StreamHandler"}


def test_the_module_itself_is_seen_to_print() -> None:
    """So that the test above is no empty one."""
    assert {"rich", "stdout"} <= ways_to_print(Path(str(_console.__file__)))
