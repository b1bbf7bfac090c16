"""Bringing together what many processes have left, without losing or sharing anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.jobs.spooled import DESTINATION, contents, hold, leave, reject
from support.messages.produce import emission_of
from support.messages.records import make_record

from conformare import SpoolError
from conformare._errors import SpoolFileError
from conformare.emission import Message
from conformare.emission.spool import Destination, Spool
from conformare.emission.spool._collection import collecting
from conformare.emission.spool._file import from_bytes, to_bytes

OTHER = Destination("127.0.0.1:1", "trial.")


def test_what_many_have_left_comes_together(tmp_path: Path) -> None:
    """In one of their folders, so that a full disk does not matter; the others are removed."""
    folders = [leave(tmp_path, f"run-{n}")[0].parent for n in range(3)]
    (other,) = leave(tmp_path, "run-3", destination=OTHER)
    before = contents(tmp_path)
    with collecting(tmp_path) as collection:
        collection.gather()
        assert set(collection.destinations) == {DESTINATION, OTHER}
        assert {file.parent for file in collection.files} < {*folders, other.parent}
        assert sorted(file.name for file in collection.files) == sorted(before)
        assert sum(folder.exists() for folder in folders) == 1
        assert Spool(tmp_path, DESTINATION, 1).adopt() == []
    assert contents(tmp_path) == before
    assert len({file.parent for file in tmp_path.rglob("*.emission")}) == 2
    assert len(Spool(tmp_path, DESTINATION, 1).adopt()) == 3


def test_what_a_running_process_holds_is_counted_only(tmp_path: Path) -> None:
    """That process sends it itself."""
    holder, files = hold(tmp_path, ["run-1", "run-2"])
    with collecting(tmp_path) as collection:
        collection.gather()
        assert (collection.held, collection.files) == (2, [])
    assert all(file.exists() for file in files)
    holder.leave()


def test_a_damaged_file_goes_to_the_rejected_ones(tmp_path: Path) -> None:
    """With its cause, and it holds nothing else up."""
    broken, good = leave(tmp_path, "run-1", "run-2")
    broken.write_bytes(b"half")
    with collecting(tmp_path) as collection:
        collection.gather()
        assert good in collection.files
        assert [path for path, _ in collection.unusable] == [broken]
    assert (tmp_path / "rejected" / broken.name).read_bytes() == b"half"
    cause = (tmp_path / "rejected" / f"{broken.name}.cause").read_text()
    assert cause == "it is not a spooled emission, or it is from a later release"


def test_rejected_ones_come_along_when_asked_for(tmp_path: Path) -> None:
    """Without their cause, which may not hold any more; damaged ones stay."""
    reject(tmp_path, "run-1", "too large")
    (tmp_path / "rejected/x.emission").write_bytes(b"half")
    with collecting(tmp_path) as collection:
        collection.gather()
        assert collection.files == []
        collection.gather_rejected()
        (file,) = collection.files
        assert file.parent.parent == tmp_path / DESTINATION.folder_name
    assert [path.name for path in (tmp_path / "rejected").iterdir()] == ["x.emission"]
    assert Spool(tmp_path, DESTINATION, 1).adopt() == [file]


def test_a_file_is_of_the_destination_that_it_names(tmp_path: Path) -> None:
    """Whatever folder somebody has copied it to, and under whatever name."""
    (file,) = leave(tmp_path, "run-1")
    (other,) = leave(tmp_path, "run-2", destination=OTHER)
    other.rename(file.with_name("copy.emission"))
    with collecting(tmp_path) as collection:
        collection.gather()
        places = {path.parent.parent.name: path.name for path in collection.files}
    assert places == {DESTINATION.folder_name: file.name, OTHER.folder_name: other.name}


def test_everything_is_let_go_of_after_an_error(tmp_path: Path) -> None:
    """The next process has it."""
    files = leave(tmp_path, "run-1")
    (tmp_path / "rejected").write_text("")

    def collect() -> None:
        with collecting(tmp_path) as collection:
            collection.gather()
            collection.gather_rejected()

    with pytest.raises(SpoolError, match="cannot be used: Not a directory"):
        collect()
    assert Spool(tmp_path, DESTINATION, 1).adopt() == files


def test_a_file_without_names_for_a_file_and_topics_is_none_of_ours() -> None:
    """Its names would reach other folders, or hold up all others in the courier."""
    good = emission_of(make_record("run-1"))
    assert from_bytes(to_bytes(good, DESTINATION)).emission == good
    identity = good.emission_id
    for bad, destination in (
        (replace(good, emission_id=f"{identity}./../../../x"), DESTINATION),
        (replace(good, emission_id="x"), DESTINATION),
        (replace(good, emission_id="f" * 36), DESTINATION),
        (replace(good, messages=(Message("runs\0", b"", b""),)), DESTINATION),
        (good, Destination("", "conformare.")),
        (good, Destination("127.0.0.1:1\n", "conformare.")),
        (good, Destination("127.0.0.1:1", "conformare.\0")),
        (good, Destination("127.0.0.1:1", "a/b")),
    ):
        with pytest.raises(SpoolFileError):
            from_bytes(to_bytes(bad, destination))
