"""A file of digests answers like a set, or says that it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.errors import DamagedError
from conformare_sink.lake.halves import Halves, array_of, halves_of, in_order, joined
from conformare_sink.lake.known import segment as segments
from conformare_sink.lake.known.merge import merge
from conformare_sink.lake.known.segment import Sealed, Segment, SegmentWriter

BLOCK = 4

# Few different first halves, so that many share theirs, also from one block to the next.
digests = st.builds(
    lambda first, second: bytes([first]) * 8 + bytes([second]) * 8,
    st.sampled_from([0, 1, 2, 255]),
    st.integers(min_value=0, max_value=20),
)
some_digests = st.lists(digests, min_size=1, max_size=40)


@contextmanager
def small_blocks() -> Iterator[Path]:
    """A folder for segments that have many blocks although they are small."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as name:
        patch.setattr(segments, "BLOCK", BLOCK)
        patch.setattr(segments, "_BLOCK_BYTES", BLOCK * 16)
        yield Path(name)


def halves(some: list[bytes]) -> Halves:
    """Digests by their halves, in order."""
    return in_order(halves_of(array_of(some)))


def written(folder: Path, *parts: Halves) -> Segment:
    """A segment."""
    with SegmentWriter(folder, uuid4().hex) as writer:
        for part in parts:
            writer.write(part)
        return writer.finish()


@given(there=some_digests, asked=st.lists(digests), cut=st.integers(min_value=0, max_value=40))
def test_it_answers_like_a_set(there: list[bytes], asked: list[bytes], cut: int) -> None:
    """However it was written, and after it was opened again."""
    with small_blocks() as folder:
        ordered = halves(there)
        segment = written(folder, ordered.chosen(slice(cut)), ordered.chosen(slice(cut, None)))
        for one in (segment, Segment(folder, segment.sealed)):
            # As they come: that they are in order makes it fast, and nothing else.
            found = one.contain(halves_of(array_of(asked)))
            assert found.tolist() == [digest in there for digest in asked]
            assert len(one) == len(there)


@given(several=st.lists(some_digests, min_size=1, max_size=5), step=st.integers(1, 50))
def test_what_is_merged_is_all_there_in_order(several: list[list[bytes]], step: int) -> None:
    """Whatever is read at once."""
    with small_blocks() as folder:
        parts = [halves(some) for some in several]
        *steps, merged = merge([written(folder, part) for part in parts], folder, "merged", step)
        assert steps == [None] * len(steps)
        assert merged is not None
        read = merged.read(0, len(merged))
        assert read.first.tolist() == joined(parts).first.tolist()
        found = {*zip(read.first.tolist(), read.second.tolist(), strict=True)}
        assert found == {(f, s) for p in parts for f, s in zip(*map(list, p), strict=True)}


def test_whatever_byte_is_damaged_no_answer_is_wrong() -> None:
    """Either the damage is told, or it is where it does no harm."""
    there = [bytes([n]) * 16 for n in range(1, 250, 18)]
    asked = [*there, *(bytes([n]) * 16 for n in range(0, 256, 7))]
    right = [one in there for one in asked]
    with small_blocks() as folder:
        sealed = written(folder, halves(there)).sealed
        file = folder / sealed.name
        whole = file.read_bytes()
        n_told = 0
        for content in damaged(whole):
            file.unlink()  # what is mapped stays as it is
            file.write_bytes(content)
            try:
                found = Segment(folder, sealed).contain(halves_of(array_of(asked))).tolist()
            except DamagedError:
                n_told += 1
            else:
                assert found == right
        assert n_told > len(whole)


def damaged(whole: bytes) -> Iterator[bytes]:
    """A file with a bit or a byte turned, cut off, of zeros in part or in whole, or longer."""
    for at in range(len(whole)):
        for turned in (0x01, 0x80, 0xFF):
            yield whole[:at] + bytes([whole[at] ^ turned]) + whole[at + 1 :]
        yield whole[:at]
        yield whole[:at] + bytes(len(whole) - at)
        yield bytes(at) + whole[at:]
    yield whole + b"\x00"


def test_another_segment_of_the_same_name_is_recognised() -> None:
    """Somebody has put back a file of another day."""
    with small_blocks() as folder:
        first = written(folder, halves([b"a" * 16]))
        other = written(folder, halves([b"b" * 16]))
        other.path.replace(first.path)
        with pytest.raises(DamagedError, match="is not as it was written"):
            Segment(folder, first.sealed)
        with pytest.raises(DamagedError):
            Segment(folder, Sealed(first.sealed.name, 2, other.sealed.seal))


def test_what_is_not_finished_leaves_nothing_behind() -> None:
    """An error in between, and a merge that nobody goes on with."""
    with small_blocks() as folder:
        parts = [written(folder, halves([bytes([n]) * 16])) for n in range(3)]
        with suppress(ZeroDivisionError), SegmentWriter(folder, "name") as writer:
            writer.write(halves([b"a" * 16] * 9))
            raise ZeroDivisionError
        merging = merge(parts, folder, "merged", 1)
        assert next(merging) is None
        del merging
        assert {file.name for file in folder.iterdir()} == {part.sealed.name for part in parts}
