"""Standard output: tables and lines for people, whatever names are in them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformare_schemas.printable import printable

_ENDLESS = 10**9
"""Width of a table in a file or a pipe: a name that somebody greps for is neither cut nor folded."""


class OutputError(Exception):
    """What was answered reached nobody."""

    exit_code = 2


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on standard output.

    Args:
        title: Stands above it.
        columns: What stands above the columns.
        rows: Cells from left to right: texts of anybody's, numbers, times, or several of them.
    """
    folds = sys.stdout.isatty()
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    if not folds:
        console.width = _ENDLESS
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    cells = list(rows)
    for number, heading in enumerate(columns):
        is_number = bool(cells) and all(type(row[number]) is int for row in cells)
        table.add_column(
            heading,
            justify="right" if is_number else "left",
            overflow="fold" if folds else "ignore",
            no_wrap=not folds,
        )
    for row in cells:
        table.add_row(*(Text(printable(shown(cell))) for cell in row))
    with console.capture() as captured:
        console.print(Text(printable(title), "bold"))
        console.print(table)
    # rich fills a line up to the table's width; nobody wants the blanks in a file.
    write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def show_line(line: str = "") -> None:
    """Print one line on standard output, whatever it holds."""
    write(f"{printable(line)}\n")


def tell(line: str) -> None:
    """Print one line on standard error, whatever it holds."""
    write(f"{printable(line)}\n", sys.stderr)


def shown(value: Any) -> str:
    """Return a value as a cell shows it; the text is anybody's still."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(str, value))
    return str(value)


def write(text: str, stream: TextIO | None = None) -> None:
    """Write a text; what the stream's encoding lacks becomes an escape.

    Args:
        text: The text.
        stream: Where to; standard output when not given.
    """
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        raise  # whoever read it has read enough
    except OSError as exc:
        raise OutputError(f"the answer cannot be written: {exc.strerror}") from exc
