"""Which pages there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from support.reference import commands, metrics, settings, tables

FOLDER = Path(__file__).parents[3] / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "metrics.md": metrics.page,
    "settings.md": settings.page,
    "tables.md": tables.page,
}
