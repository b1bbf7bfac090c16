"""A set that is mostly on disk answers like a set, whatever becomes of its folder."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.errors import DamagedError
from conformare_sink.lake.halves import Halves, array_of, halves_of
from conformare_sink.lake.known import merge, segment, stored
from conformare_sink.lake.known.folder import LOCK, MANIFEST, UNUSED_SECONDS, Folder, Saved
from conformare_sink.lake.known.stored import StoredSet

digests = st.builds(
    lambda first, second: bytes([first]) * 8 + bytes([second]) * 8,
    st.integers(min_value=0, max_value=5),
    st.integers(min_value=0, max_value=20),
)
several = st.lists(digests, max_size=30)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), several),
        st.tuples(st.just("remove"), several),
        st.tuples(st.sampled_from(["save", "save and open", "open"]), st.just([])),
    ),
    max_size=20,
)
ALL = [bytes([first]) * 8 + bytes([second]) * 8 for first in range(6) for second in range(21)]


@contextmanager
def small() -> Iterator[Path]:
    """A place for sets that go to disk, and are merged, although they are small."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.setattr(segment, "BLOCK", 4)
        patch.setattr(segment, "_BLOCK_BYTES", 4 * 16)
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr(stored, "SPILLED", 7)
        patch.setattr(stored, "FILLED", 20)
        patch.setattr(stored, "STEP", 10)
        patch.setattr(merge, "SMALLEST", 7)
        patch.setattr(merge, "FAN_IN", 2)
        yield Path(name) / "known" / "a"


def opened(place: Path) -> StoredSet:
    """The set of a folder, for who may change it."""
    return StoredSet(Folder(place, is_ours=True))


def halves(some: list[bytes]) -> Halves:
    """Digests by their halves."""
    return halves_of(array_of(some))


def content(found: StoredSet) -> set[bytes]:
    """All that is in it."""
    there = found.contain(halves(ALL)).tolist()
    return {digest for digest, is_there in zip(ALL, there, strict=True) if is_there}


def save(found: StoredSet, version: int = 1) -> None:
    """Keep it."""
    found.save("a table", version, "a commit")
    found.await_saved()


@given(steps=steps)
def test_it_answers_like_a_set(steps: list[tuple[str, list[bytes]]]) -> None:
    """However it came to be, and what was saved is what the next process finds."""
    with small() as place:
        found, naive, kept = opened(place), set[bytes](), set[bytes]()
        n_saved = 0
        for what, some in steps:
            if what == "add":
                found.add(halves(some))
                naive |= set(some)
            elif what == "remove":
                found.remove(halves(some))
                naive -= set(some)
            if what.startswith("save"):
                n_saved += 1
                save(found, n_saved)
                kept = set(naive)
            if what.endswith("open"):
                found.close()
                found = opened(place)
                saved = found.load()
                assert (0 if saved is None else saved.version) == n_saved
                naive = set(kept)
            assert content(found) == naive
            assert len(found) == len(naive)
        found.close()


@given(portions=st.lists(several, max_size=8), more=several)
def test_a_whole_table_comes_in_portions(portions: list[list[bytes]], more: list[bytes]) -> None:
    """And is one segment then, or stays in memory."""
    with small() as place:
        found = opened(place)
        found.fill(halves(portion) for portion in portions)
        assert len(found._segments) <= 1
        found.add(halves(more))
        assert content(found) == {digest for some in (*portions, more) for digest in some}
        found.close()


def filled(place: Path) -> set[bytes]:
    """Keep a set that has several segments, and digests that are gone; return what is in it."""
    found = opened(place)
    shuffled = random.Random(3).sample(ALL, 60)  # noqa: S311 - the same every time
    for at in range(0, 50, 10):
        found.add(halves(shuffled[at : at + 10]))
    found.remove(halves(shuffled[:4]))
    save(found)
    found.close()
    return set(shuffled[4:50])


def test_whatever_byte_of_a_folder_is_damaged_no_answer_is_wrong() -> None:
    """A set that says that it is damaged is read again."""
    with small() as place:
        there = filled(place)
        whole_set = Saved.read((place / MANIFEST).read_bytes())
        n_files = n_told = 0
        for file in sorted(place.iterdir()):
            whole = file.read_bytes()
            n_files += 1
            for at in range(len(whole)):
                file.unlink()
                file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
                found = StoredSet(Folder(place, is_ours=False))
                try:
                    assert found.load() in (None, whole_set)
                    n_told += found._segments == []
                    assert not found._segments or content(found) == there
                except DamagedError:
                    n_told += 1
                found.close()
            file.unlink()
            for replaced in (b"", bytes(len(whole)), None):
                if replaced is not None:
                    file.write_bytes(replaced)
                found = StoredSet(Folder(place, is_ours=False))
                assert file.name == LOCK or found.load() is None
                found.close()
                file.unlink(missing_ok=True)
            file.write_bytes(whole)
        assert n_files >= 4
        assert n_told > 1_000


def test_a_manifest_of_an_older_set_with_its_segments_is_that_set() -> None:
    """Somebody has put the folder back; whether it is of use, its version and commit tell."""
    with small() as place:
        there = filled(place)
        before = {file.name: file.read_bytes() for file in place.iterdir()}
        found = opened(place)
        found.load()
        found.add(halves(ALL))
        save(found, 2)
        found.close()
        for file in place.iterdir():
            file.unlink()
        for name, whole in before.items():
            (place / name).write_bytes(whole)
        found = opened(place)
        saved = found.load()
        assert saved is not None
        assert saved.version == 1
        assert content(found) == there
        found.close()


def test_only_one_changes_a_folder_and_all_others_read_it() -> None:
    """What they have opened stays there for them when the owner replaces it."""
    with small() as place:
        there = filled(place)
        owner, second, reader = (
            opened(place),
            opened(place),
            StoredSet(Folder(place, is_ours=False)),
        )
        for one in (owner, second, reader):
            assert one.load() is not None
        names = {file.name for file in place.iterdir()}
        second.add(halves(ALL[:30]))
        save(second, 9)
        assert {file.name for file in place.iterdir()} == names
        for at in range(0, len(ALL), 3):
            owner.add(halves(ALL[at : at + 3]))
        save(owner, 2)
        assert not names & {file.name for file in place.iterdir()} - {LOCK, MANIFEST}
        assert content(owner) == set(ALL)
        assert content(second) == there | set(ALL[:30])
        assert content(reader) == there
        for one in (owner, second, reader):
            one.close()
        found = opened(place)
        saved = found.load()
        assert saved is not None
        assert saved.version == 2
        assert content(found) == set(ALL)
        found.close()


def test_what_a_killed_process_has_left_is_deleted_by_the_next() -> None:
    """Segments that no manifest names, and what was not finished."""
    with small() as place:
        filled(place)
        names = {file.name for file in place.iterdir()}
        (place / "left.segment").write_bytes(b"left")
        (place / "left.segment.part").write_bytes(b"left")
        reader = StoredSet(Folder(place, is_ours=False))
        reader.load()
        assert len([*place.iterdir()]) == len(names) + 2
        found = opened(place)
        found.load()
        assert {file.name for file in place.iterdir()} == names
        found.close()


def test_what_is_temporary_is_gone_however_the_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has no name any more while it is used."""
    with small() as place:
        monkeypatch.setattr(tempfile, "tempdir", str(place.parent.parent))
        found = StoredSet(Folder(place, is_ours=False))
        for at in range(0, len(ALL), 5):
            found.add(halves(ALL[at : at + 5]))
        assert len(found._segments) > 1
        (temporary,) = place.parent.parent.iterdir()
        assert [one.suffix for one in temporary.iterdir()] in ([], [".part"])
        assert content(found) == set(ALL)
        found.close()
        assert [*place.parent.parent.iterdir()] == []


def test_a_disk_that_refuses_is_told_once_and_the_set_is_in_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the folder nor a temporary one can be made."""
    with small() as place:
        place.parent.parent.joinpath("known").write_bytes(b"a file")
        monkeypatch.setattr(tempfile, "tempdir", str(place / "nowhere"))
        found = opened(place)
        for at in range(0, len(ALL), 5):
            found.add(halves(ALL[at : at + 5]))
            found.remove(halves(ALL[at : at + 1]))
        save(found)
        assert content(found) == set(ALL) - set(ALL[::5])
        assert len(caplog.records) == 1
        found.close()


def test_the_folder_of_a_lake_that_nobody_opens_any_more_is_deleted() -> None:
    """When another one is made; but never one that somebody has opened."""
    with small() as place:
        for name in ("old", "open", "new"):
            filled(place.with_name(name))
        holder = Folder(place.with_name("open"), is_ours=True)
        long_ago = time.time() - UNUSED_SECONDS - 60
        for name in ("old", "open"):
            os.utime(place.with_name(name) / LOCK, (long_ago, long_ago))
        filled(place)
        assert {folder.name for folder in place.parent.iterdir()} == {"a", "open", "new"}
        holder.close()
