"""A commit happens once, whatever its store answers and whoever commits beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from support.lakes.purged_table import loaded, opened, run_ids, tombstone

from conformare_sink.errors import TableWriteError
from conformare_sink.lake.tables import folder_table


@contextmanager
def when(patch: pytest.MonkeyPatch, name: str, do: Callable[[], object]) -> Iterator[None]:
    """Do something once, just before the next call of a function of deltalake's."""
    original, todo = getattr(folder_table, name), [do]

    def interrupted(*arguments: Any, **keywords: Any) -> Any:
        if todo:
            todo.pop()()
        return original(*arguments, **keywords)

    with patch.context() as context:
        context.setattr(folder_table, name, interrupted)
        yield


def test_a_commit_that_fails_is_tried_again_and_one_whose_answer_is_lost_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said of it is not believed, but the log."""
    loaded(tmp_path)
    table = opened(tmp_path)
    write = deltalake.write_deltalake

    def fail(*_: object, **__: object) -> None:
        raise OSError("Generic S3 error: error sending request")

    def answering(fate: list[str]) -> Callable[..., None]:
        def answer(*arguments: Any, **keywords: Any) -> None:
            now = fate.pop(0)
            if now != "fails":
                write(*arguments, **keywords)
            if now != "lands":
                fail()

        return answer

    for fate in ("fails fails lands", "loses", "fails loses"):
        with monkeypatch.context() as patch:
            patch.setattr(folder_table, "write_deltalake", answering(fate.split()))
            table.append(tombstone(fate))
    with monkeypatch.context() as patch:
        patch.setattr(folder_table, "write_deltalake", fail)
        with pytest.raises(
            TableWriteError, match="purged cannot be written: Generic S3 error: error sending"
        ):
            table.append(tombstone("never"))
    assert run_ids(tmp_path) == ["fails fails lands", "fails loses", "loses"]


def test_what_others_commit_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that somebody appends or deletes by hand, a property that somebody sets."""
    loaded(tmp_path)
    table = opened(tmp_path)
    table.append(tombstone("a"))

    def by_hand() -> None:
        there = DeltaTable(tmp_path / "purged")
        deltalake.write_deltalake(there, tombstone("by hand"), mode="append")
        there.delete("run_id = 'a'")
        there.alter.set_table_properties({"delta.checkpointInterval": "50"})

    assert not table.changed_by_others()
    with when(monkeypatch, "write_deltalake", by_hand):
        table.append(tombstone("b"))
    assert run_ids(tmp_path) == ["b", "by hand"]
    assert table.changed_by_others()
    assert not table.changed_by_others()
    table.append(tombstone("c"))
    by_hand()
    assert table.delete(pa.table({"run_id": ["b", "by hand"]})) == 3
    assert run_ids(tmp_path) == ["c"]
    assert table.changed_by_others()
