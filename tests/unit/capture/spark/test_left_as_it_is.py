"""What a writer of files leaves as it is, for something is there already."""

from __future__ import annotations

from typing import Any

import pytest

from conformare.capture.spark._reads import OPTIONS_KEY
from conformare.capture.spark._steps import Call
from conformare.capture.spark._table import TRACKED
from conformare.capture.spark._unwritten import leaves_all_as_it_is
from conformare.capture.spark._writes import OPENED_KEY, Opened
from conformare.capture.sql._file_systems import FileSystem


class _Writer:
    """A writer of some frame, in a mode."""

    def __init__(self, mode: str) -> None:
        self.__dict__.update({OPTIONS_KEY: {"mode": mode}, OPENED_KEY: Opened(object())})


def called(method: str, mode: str, *args: Any) -> Call:
    """Return a call of a writer's method that is about to be made."""
    tracked = next(
        one
        for one in TRACKED
        if (one.owner, one.method, one.connect) == ("DataFrameWriter", method, False)
    )
    return Call(tracked, _Writer(mode), args, {}, None, None)


@pytest.mark.parametrize(
    ("method", "mode", "is_left"),
    [
        ("parquet", "ignore", True),
        ("parquet", "append", False),
        # Rows are added to a table in this mode, whatever folder has its name.
        ("insertInto", "ignore", False),
    ],
)
def test_a_mode_leaves_files_but_no_table(
    monkeypatch: pytest.MonkeyPatch, method: str, mode: str, is_left: bool
) -> None:
    monkeypatch.setattr(FileSystem, "has", lambda _self, path: path == "kept")
    assert leaves_all_as_it_is(called(method, mode, "kept")) is is_left
