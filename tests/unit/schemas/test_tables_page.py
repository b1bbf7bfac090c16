"""The reference shows the tables as the contract has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformare_schemas import EMISSION_COLUMN, GRAINS, grain_table, key_columns

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "tables.md"


def as_markdown(grain: str) -> str:
    """A grain's own columns as a Markdown table."""
    table = grain_table(grain)
    shared = {*key_columns(grain), EMISSION_COLUMN}
    rows = [
        f"| `{column.name}` | {column.sql_type.lower()} | {column.comment} |"
        for column in table.columns
        if column.name not in shared
    ]
    return "\n".join(
        [
            f"## {grain}",
            "",
            table.comment,
            "",
            "| column | type | |",
            "| --- | --- | --- |",
            *rows,
        ]
    )


@pytest.mark.parametrize("grain", GRAINS)
def test_the_page_shows_the_columns_of_every_table(grain: str) -> None:
    """As they stand in the contract: what it misses is in the assertion's message."""
    assert as_markdown(grain) in PAGE.read_text(encoding="utf-8")
