"""The file of what was sent: one export at a time, and what it keeps."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from conformare.openlineage import CursorError, sent_runs

FIRST, SECOND = (uuid.uuid5(uuid.NAMESPACE_URL, name) for name in "ab")
SCOPE = {"lake": "/lake"}


def test_what_was_sent_is_known_ever_after(tmp_path: Path) -> None:
    """Also if it is told twice."""
    for _ in range(2):
        with sent_runs(tmp_path / "state/sent", SCOPE) as sent:
            sent.add([FIRST])
    with sent_runs(tmp_path / "state/sent", SCOPE) as sent:
        assert sent.among([FIRST, SECOND]) == {FIRST}
        assert sent.among([]) == set()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_second_export_leaves_it_to_the_first(tmp_path: Path, is_new: bool) -> None:
    """From its beginning, before anything was sent."""
    path = tmp_path / "sent"
    if not is_new:
        with sent_runs(path, SCOPE):
            pass
    with (
        sent_runs(path, SCOPE),
        pytest.raises(CursorError, match="is held by another export, which sends the same runs"),
        sent_runs(path, SCOPE),
    ):
        pass


def test_a_later_release_is_told(tmp_path: Path) -> None:
    """Its file may mean something else."""
    with sent_runs(tmp_path / "sent", SCOPE):
        pass
    with closing(sqlite3.connect(tmp_path / "sent")) as connection:
        connection.execute("PRAGMA user_version = 2")
    with (
        pytest.raises(CursorError, match="is from another release of conformare"),
        sent_runs(tmp_path / "sent", SCOPE),
    ):
        pass


def test_a_folder_is_no_state(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(CursorError, match="cannot be used"), sent_runs(tmp_path, SCOPE):
        pass
