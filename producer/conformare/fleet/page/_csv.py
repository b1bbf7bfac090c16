"""A table as CSV, in which no text is taken for a formula."""

from __future__ import annotations

import csv
import io

from conformare.fleet.page._model import Cell, Table

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def to_csv(table: Table) -> str:
    """Return a table as CSV, all of its rows.

    Args:
        table: The table.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    titles = [
        (one.title, one.note_title) if one.note_title else (one.title,) for one in table.columns
    ]
    writer.writerow([title for of_column in titles for title in of_column])
    for row in table.rows if table.all_rows is None else table.all_rows:
        cells = [
            (_said(cell), cell.note)[: len(of_column)]
            for of_column, cell in zip(titles, row, strict=True)
        ]
        writer.writerow([guarded(said) for of_cell in cells for said in of_cell])
    return text.getvalue()


def guarded(text: str) -> str:
    """Return a text so that no spreadsheet takes it for a formula.

    Args:
        text: Any text; one that begins as formulas do gets an apostrophe before it.
    """
    writable = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    begins = writable.lstrip(" \N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}")
    return (
        f"'{writable}"
        if writable.startswith(_FORMULAS) or begins.startswith(_FORMULAS)
        else writable
    )


def _said(cell: Cell) -> str:
    """Return what a cell says."""
    if cell.time is not None:
        return cell.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return cell.text
