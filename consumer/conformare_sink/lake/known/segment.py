"""A file of digests in order, which is mapped and never loaded.

It consists of blocks: of 512 digests the first halves, then the second ones. Behind the blocks is an
index: of each block the least first half, and a checksum; then a trailer, which seals the index. The
index is read when the file is opened. A look-up goes to one block, and checks it the first time.
So any damage is recognised before it can give a wrong answer, and opening reads next to nothing.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final
from zlib import crc32

import numpy as np

from conformare_sink.errors import DamagedError
from conformare_sink.lake.halves import DIGEST_BYTES, NONE, Halves, Mask, Positions

BLOCK = 512
"""Digests of a block: their first halves fill a page of memory."""
_BLOCK_BYTES = BLOCK * DIGEST_BYTES
_MAGIC = b"cfknown\x01"
"""Names the format; its last byte is the version."""
_TRAILER = struct.Struct("<8sQI")
"""Magic, digests in the file, checksum of all of the index."""
_INDEX = np.dtype([("least", "<u8"), ("checksum", "<u4")])

SUFFIX = ".segment"
STAGED_SUFFIX = ".part"


class Sealed(NamedTuple):
    """A segment, as who keeps it knows it again."""

    name: str
    n_digests: int
    """How many digests it has."""
    seal: int
    """Checksum of its index."""


class Segment:
    """A file of digests, opened.

    Args:
        folder: Where it is.
        sealed: Which one it is.

    Raises:
        DamagedError: It is another one, or not as it was written.
        FileNotFoundError: It is gone.
        OSError: It cannot be read.
    """

    def __init__(self, folder: Path, sealed: Sealed) -> None:
        self.sealed = sealed
        self.path = folder / sealed.name
        n_blocks = -(-sealed.n_digests // BLOCK)
        body = n_blocks * _BLOCK_BYTES
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != _size(n_blocks):
                raise DamagedError(self.path)
            file.seek(body)
            content = file.read()
        index, trailer = content[: -_TRAILER.size], content[-_TRAILER.size :]
        if trailer != _trailer(sealed.n_digests, index) or crc32(index) != sealed.seal:
            raise DamagedError(self.path)
        entries = np.frombuffer(index, _INDEX)
        self._least = entries["least"].astype(np.uint64)
        self._checksums = entries["checksum"].copy()
        self._checked = np.zeros(n_blocks, np.bool_)
        mapped = np.memmap(self.path, "<u8", "r", shape=(n_blocks, 2, BLOCK))
        self._blocks = mapped.view(np.ndarray)

    def __len__(self) -> int:
        return self.sealed.n_digests

    def contain(self, asked: Halves) -> Mask:
        """Return of each digest whether it is there; fast where they are in order.

        Raises:
            DamagedError: What has been looked at is not as it was written.
        """
        at = self._first_not_less(asked)
        found = np.zeros(len(at), np.bool_)
        left = np.flatnonzero(at < len(self))
        while len(left):
            block, row = np.divmod(at[left], BLOCK)
            self._check(block)
            same = self._blocks[block, 0, row] == asked.first[left]
            left, block, row = left[same], block[same], row[same]
            hit = self._blocks[block, 1, row] == asked.second[left]
            found[left[hit]] = True
            left = left[~hit]  # another one has the same first half
            at[left] += 1
            left = left[at[left] < len(self)]
        return found

    def read(self, start: int, stop: int) -> Halves:
        """Return the digests from one position to before another; raises what `contain` raises."""
        stop = min(stop, len(self))
        begin, end = start // BLOCK, -(-stop // BLOCK)
        self._check(np.arange(begin, end))
        blocks = self._blocks[begin:end]
        part = slice(start - begin * BLOCK, stop - begin * BLOCK)
        return Halves(blocks[:, 0].reshape(-1), blocks[:, 1].reshape(-1)).chosen(part)

    def _first_not_less(self, asked: Halves) -> Positions:
        """Return the first position of each digest whose first half is not less than that asked."""
        # The block before the first that begins with as much: equal halves may begin there.
        block = np.searchsorted(self._least, asked.first) - 1
        np.maximum(block, 0, out=block)
        self._check(block)
        low = block * BLOCK
        high = np.minimum(low + BLOCK, len(self))
        for _ in range(BLOCK.bit_length()):
            middle = (low + high) >> 1
            looked = np.minimum(middle, high - 1)  # where low is high, that is the last one
            less = self._blocks[looked // BLOCK, 0, looked % BLOCK] < asked.first
            less &= low < high
            low = np.where(less, middle + 1, low)
            high = np.where(less, high, middle)
        return low

    def _check(self, blocks: Positions) -> None:
        new = np.unique(blocks[~self._checked[blocks]])
        for block, checksum in zip(new.tolist(), self._checksums[new].tolist(), strict=True):
            if crc32(self._blocks[block]) != checksum:
                raise DamagedError(self.path)
        self._checked[new] = True


@final
class SegmentWriter:
    """Writes a segment; what is not finished leaves nothing behind.

    Args:
        folder: Where it is to be.
        name: Its name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._staged = folder / f"{name}{STAGED_SUFFIX}"
        self._file = self._staged.open("xb")
        self._count = 0
        self._rest = NONE
        """What does not fill a block yet."""
        self._index = [np.empty(0, _INDEX)]

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the file, and remove it where it was not finished."""
        self.close()

    def write(self, digests: Halves) -> None:
        """Write digests that are in order, and not less than those before.

        Raises:
            OSError: The disk refuses.
        """
        first = np.concatenate([self._rest.first, digests.first])
        second = np.concatenate([self._rest.second, digests.second])
        self._count += len(digests.first)
        whole = len(first) // BLOCK * BLOCK
        self._write_blocks(Halves(first[:whole], second[:whole]))
        self._rest = Halves(first[whole:], second[whole:])

    def finish(self) -> Segment:
        """Return the segment with all that was written; raises what `write` raises."""
        missing = -self._count % BLOCK
        padding = np.full(missing, ~np.uint64(0))
        self._write_blocks(
            Halves(*(np.concatenate([half, padding]) for half in self._rest)) if missing else NONE
        )
        index = np.concatenate(self._index).tobytes()
        self._file.write(index + _trailer(self._count, index))
        self._file.close()
        self._staged.replace(self._folder / self._name)
        return Segment(self._folder, Sealed(self._name, self._count, crc32(index)))

    def close(self) -> None:
        """Let go of the file, and remove it where it was not finished."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._staged.unlink(missing_ok=True)

    def _write_blocks(self, digests: Halves) -> None:
        n_blocks = len(digests.first) // BLOCK
        if not n_blocks:
            return
        blocks = np.empty((n_blocks, 2, BLOCK), "<u8")
        blocks[:, 0] = digests.first.reshape(-1, BLOCK)
        blocks[:, 1] = digests.second.reshape(-1, BLOCK)
        entries = np.empty(n_blocks, _INDEX)
        entries["least"] = blocks[:, 0, 0]
        entries["checksum"] = [crc32(block.data) for block in blocks]
        self._index.append(entries)
        self._file.write(blocks.data)


def _size(n_blocks: int) -> int:
    return n_blocks * (_BLOCK_BYTES + _INDEX.itemsize) + _TRAILER.size


def _trailer(count: int, index: bytes) -> bytes:
    return _TRAILER.pack(_MAGIC, count, crc32(index))
