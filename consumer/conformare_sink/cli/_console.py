"""The one way in which the sink's commands print; no other module of theirs knows of rich.

Names of pipelines, runs, topics and causes are anybody's. Here they are never markup, never codes
that a terminal obeys, and never more than one line; `--json` has them exactly as they are.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ParamSpec, TextIO, TypeVar

import typer
from rich.console import Console, JustifyMethod, OverflowMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from conformare_sink.errors import OutputError, SinkError, first_line

P = ParamSpec("P")
R = TypeVar("R")

Cell = str | int | Text
"""Of a table: a text of anybody's, a number, or what `styled` and `joined` return."""

FAILURE = 1

PROGRESS_SECONDS = 30.0
"""How often progress is told where there is no terminal."""

_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Control and format characters, lone surrogates, separators of lines and paragraphs: by themselves
they show nothing, and some of them change what is shown."""

_ENDLESS = 10**9
"""Width of a table in a file or a pipe: a name that somebody greps for is neither cut nor folded."""


def printable(text: str) -> str:
    r"""Return a text on one line, with everything that is not seen as an escape such as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(_escaped(sign) if _is_unseen(sign) else sign for sign in text)


def show_line(line: str = "") -> None:
    """Print a result: one line on standard output, whatever it holds."""
    _write(sys.stdout, f"{printable(line)}\n")


def show_json(value: object) -> None:
    """Print a result for programs: one line of JSON on standard output, names as they are.

    Args:
        value: What JSON knows; a time or a path becomes its text.
    """
    _write(sys.stdout, f"{json.dumps(value, default=str)}\n")


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a result: a table on standard output.

    Args:
        title: Stands above it.
        columns: What stands above the columns.
        rows: Cells from left to right; columns of numbers are aligned to the right.
    """
    console = _console(sys.stdout)
    folds = sys.stdout.isatty()
    if not folds:
        console.width = _ENDLESS
    cells = list(rows)
    table = Table()
    for number, heading in enumerate(columns):
        is_number = bool(cells) and all(isinstance(row[number], int) for row in cells)
        justify: JustifyMethod = "right" if is_number else "left"
        # A line that may be folded loses blanks at its end where signs of no width are in it.
        overflow: OverflowMethod = "fold" if folds else "ignore"
        table.add_column(styled(heading), justify=justify, overflow=overflow, no_wrap=not folds)
    for row in cells:
        table.add_row(*map(_rendered, row))
    with console.capture() as captured:
        if title:
            console.print(styled(title, "bold"))
        console.print(table)
    _write(sys.stdout, captured.get())


def styled(text: str, style: str = "") -> Text:
    """Return a text of anybody's in a style of ours."""
    return Text(printable(text), style)


def joined(texts: Iterable[str]) -> Text:
    """Return texts of anybody's, each on a line of its own."""
    return Text("\n".join(map(printable, texts)))


def tell(line: str) -> None:
    """Print progress or an error: one line on standard error."""
    _write(sys.stderr, f"{printable(line)}\n")


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal what is waited for, as long as the block runs."""
    console = _console(sys.stderr)
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    with console.status(Text(_encodable(printable(what), console.encoding)), spinner=spinner):
        yield


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show how far something is: on a terminal one line that is redrawn, elsewhere one now and then.

    Args:
        what: What is done.

    Yields:
        What the block tells how many messages are done, of how many, and what came of them.
    """
    pace = _Pace()
    console = _console(sys.stderr)
    if not console.is_terminal:
        told_at = time.monotonic()

        def log(done: int, of: int, result: str) -> None:
            nonlocal told_at
            left = pace.left(done, of)
            if time.monotonic() - told_at >= PROGRESS_SECONDS:
                told_at = time.monotonic()
                tell(f"{what}: {done:,} of {of:,} messages, {result}, {left}")

        yield log
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("messages, {task.fields[result]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        description = _encodable(printable(what), console.encoding)
        task = bar.add_task(description, total=None, result="")

        def draw(done: int, of: int, result: str) -> None:
            told = _encodable(printable(f"{result}, {pace.left(done, of)}"), console.encoding)
            bar.update(task, completed=done, total=of, result=told)

        yield draw


class _Pace:
    """How fast something goes, from when it is told of first."""

    def __init__(self) -> None:
        self._began: tuple[float, int] | None = None

    def left(self, done: int, of: int) -> str:
        """Return how long the rest takes at the rate so far."""
        now = time.monotonic()
        began, first = self._began = self._began or (now, done)
        if done <= first:
            return "time left unknown"
        seconds = (of - done) * (now - began) / (done - first)
        return f"{timedelta(seconds=round(seconds))} left"


def show_cursor() -> None:
    """Show the terminal's cursor again, where a block of `waiting` was broken off."""
    _console(sys.stderr).show_cursor()


class _LineFormatter(logging.Formatter):
    """Makes one line of a message, and as many of a traceback as it has."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


def log_progress() -> None:
    """Print on standard error what the sink logs of its progress, not only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter())
    logging.basicConfig(handlers=[handler])
    logging.getLogger("conformare_sink").setLevel(logging.INFO)


def readable_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command end with one line on stderr and exit code 1 where it raises a SinkError.

    Warnings that are logged meanwhile do no more harm to a terminal than that line.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        if logging.lastResort is not None:
            logging.lastResort.setFormatter(_LineFormatter())
        try:
            return command(*args, **kwargs)
        except SinkError as exc:
            tell(f"error: {exc}")
            raise typer.Exit(FAILURE) from exc

    return wrapped


def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def _console(stream: TextIO) -> Console:
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def _rendered(cell: Cell) -> Text:
    if isinstance(cell, Text):
        return cell
    return styled(f"{cell:,}" if isinstance(cell, int) else cell)


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(_encodable(text, stream.encoding or "utf-8"))
        stream.flush()
    except BrokenPipeError:
        raise  # whoever read it has read enough
    except OSError as exc:
        raise OutputError(first_line(exc)) from exc
