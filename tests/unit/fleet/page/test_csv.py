"""Tables as CSV."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.fleet import Fleet
from conformare.fleet.page._csv import guarded, to_csv
from conformare.fleet.page._model import Cell, Column, Table
from conformare.fleet.page.views import drift_page, findings_page, overview_page

from .conftest import ask

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1+1", "' =1+1"),
        ("a=1", "a=1"),
        ("", ""),
        ("half \ud800", "half ?"),
    ],
)
def test_no_text_is_a_formula(text: str, written: str) -> None:
    """An apostrophe before it makes a spreadsheet take it for text."""
    assert guarded(text) == written


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_texts_come_back_from_csv_and_none_is_a_formula(texts: list[str]) -> None:
    """Whatever quotes, commas and ends of lines are in them."""
    columns = tuple(Column(f"c{number}") for number in range(len(texts)))
    table = Table("t", "T", columns, [tuple(Cell(text) for text in texts)])
    _, row = csv.reader(io.StringIO(to_csv(table), newline=""))
    assert row == [guarded(text) for text in texts]
    assert not any(cell.startswith(FORMULAS) for cell in row)


def test_all_rows_are_in_it_where_the_page_shows_some(shop: Fleet) -> None:
    """The environment has a column of its own, times are whole."""
    page = overview_page(ask(shop), pipelines_shown=3)
    (pipelines,) = (table for table in page.tables if table.name == "pipelines")
    rows = list(csv.DictReader(io.StringIO(to_csv(pipelines), newline="")))
    assert len(pipelines.rows) == 3
    assert len(rows) == 14
    assert rows[0] == {
        "Health": "failed",
        "Pipeline": "customers.deduplicate",
        "Environment": "prod",
        "Newest runs": "H" * 12 + "DD" + "H" * 13 + "DFF",
        "Newest": "2026-11-29T04:30:00Z",
        "Streak": "2 failed",
        "Owners": "customer-data",
        "Tags": "domain=customers, gdpr=yes, tier=1",
    }


def test_a_run_is_named_whole(shop: Fleet) -> None:
    """The page shows its end."""
    (findings,) = findings_page(ask(shop, kind="failed")).tables
    (row,) = csv.DictReader(io.StringIO(to_csv(findings), newline=""))
    assert row["Run"] == "customers-deduplicate-prod-0029"
    (drift,) = drift_page(ask(shop)).tables
    first, _ = csv.DictReader(io.StringIO(to_csv(drift), newline=""))
    assert first["Runs"] == "orders-clean-prod-0026 to orders-clean-prod-0027"
