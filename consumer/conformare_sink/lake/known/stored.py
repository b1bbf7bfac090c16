"""A set of digests, most of which are on disk: it grows by segments, which are merged bit by bit."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from conformare_sink.errors import DamagedError
from conformare_sink.lake.digests import DigestSet
from conformare_sink.lake.halves import NONE, Halves, Mask, distinct, found_in, in_order, joined
from conformare_sink.lake.known.folder import Folder, Saved, new_name
from conformare_sink.lake.known.merge import Merge, merge, of_about_one_size
from conformare_sink.lake.known.segment import Segment, SegmentWriter

logger = logging.getLogger("conformare_sink")

SPILLED = 100_000
"""So many digests are in memory before they become a segment."""
FILLED = 2_000_000
"""So many are sorted at once where a whole table is read."""
STEP = 65_536
"""Digests that are merged at once: some milliseconds."""
MERGED_FOR_ONE = 16
"""Digests that are merged for each that comes: more than the times that each is merged in all."""


class StoredSet:
    """A set of digests.

    Every call that looks at segments raises DamagedError where one is not as it was written. A disk
    that refuses is no error: the digests stay in memory.

    Args:
        folder: Where the segments are.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._begin()

    def _begin(self) -> None:
        self.is_changed = False
        """Whether there are segments that the next process would not find."""
        self._segments: list[Segment] = []
        self._recent = DigestSet()
        self._spill_at = SPILLED
        self._gone = NONE
        self._gone_segment: Segment | None = None
        """Where they are on disk, if they are."""
        self._merge: Merge | None = None
        self._merged: list[Segment] = []
        """Segments that are being merged."""
        self._obsolete: list[Segment] = []
        """Segments that were merged; the manifest still names them."""
        self._is_refused = False
        """Whether the disk has refused, and nothing was written since."""

    def __len__(self) -> int:
        return sum(map(len, self._segments)) + len(self._recent) - len(self._gone.first)

    @property
    def is_kept(self) -> bool:
        """Whether it can be kept for the next process, and at once."""
        return self._folder.is_kept and not self._folder.is_saving

    @property
    def n_gone(self) -> int:
        """How many digests are in segments and no longer in the set: they stay there."""
        return len(self._gone.first)

    def load(self) -> Saved | None:
        """Begin with what the folder keeps; return of what it is, and None where there is nothing."""
        self._begin()
        found = self._folder.load()
        if found is None:
            return None
        saved, self._segments, gone = found
        for self._gone_segment in gone:
            self._gone = self._gone_segment.read(0, len(self._gone_segment))
        return saved

    def clear(self) -> None:
        """Begin anew, with nothing."""
        self._begin()
        self._folder.forget()

    def contain(self, digests: Halves) -> Mask:
        """Return of each digest whether it is in the set."""
        order = np.argsort(digests.first)
        asked = digests.chosen(order)
        there = self._stored(asked)
        if self.n_gone:
            there &= ~found_in(self._gone, asked)
        there |= self._recent.contain_halves(asked)
        found = np.empty_like(there)
        found[order] = there
        return found

    def add(self, digests: Halves) -> None:
        """Add digests; merge a bit."""
        if self.n_gone:
            self._set_gone(self._gone.chosen(~found_in(in_order(digests), self._gone)))
        self._recent.add_halves(digests.chosen(~self.contain(digests)))
        if len(self._recent) >= self._spill_at:
            self.spill()
        self._go_on_merging(1 + len(digests.first) * MERGED_FOR_ONE // STEP)

    def remove(self, digests: Halves) -> None:
        """Remove digests."""
        asked = distinct(in_order(digests))
        stored = asked.chosen(self._stored(asked))
        stored = stored.chosen(~found_in(self._gone, stored))
        if len(stored.first):
            self._set_gone(joined([self._gone, stored]))
        recent = self._recent.halves()
        self._recent = DigestSet()
        self._recent.add_halves(recent.chosen(~found_in(asked, recent)))

    def fill(self, portions: Iterable[Halves]) -> None:
        """Add the digests of a whole table, each sorted once; the set is empty."""
        waiting: list[Halves] = []
        for portion in portions:
            waiting.append(in_order(portion))
            if sum(len(part.first) for part in waiting) >= FILLED:
                self._add_segment(joined(waiting))
                waiting = []
        for part in waiting:
            self._recent.add_halves(part)
        if len(self._segments) > 1:
            self.spill()
            self._merge = self._begun_merge(self._segments, FILLED)
            self._go_on_merging(None)

    def spill(self) -> None:
        """Write what is in memory as a segment."""
        recent, self._recent = self._recent, DigestSet()
        if len(recent):
            self._add_segment(recent.halves())

    def save(self, table_id: str, version: int, commit: str) -> None:
        """Keep the set for the next process.

        Args:
            table_id: Identity of the table that the set is of.
            version: Its version.
            commit: What tells that version from another one.
        """
        self.spill()
        if self._gone_segment is None and self.n_gone:
            self._gone_segment = self._written(self._gone)
        gone = [] if self._gone_segment is None else [self._gone_segment]
        is_whole = not len(self._recent) and sum(map(len, gone)) == self.n_gone
        if not is_whole or not all(map(self._folder.has, (*self._segments, *gone))):
            return
        names = (tuple(one.sealed for one in kind) for kind in (self._segments, gone))
        try:
            self._folder.save(Saved(table_id, version, commit, *names), self._obsolete)
        except OSError as exc:
            self._tell(exc)
        self._obsolete = []
        self.is_changed = False

    def await_saved(self) -> None:
        """Wait until what is being kept is kept."""
        self._folder.await_saved()

    def close(self) -> None:
        """Let go of everything."""
        self._begin()
        self._folder.close()

    def _stored(self, asked: Halves) -> Mask:
        found = np.zeros(len(asked.first), np.bool_)
        for segment in self._segments:
            found |= segment.contain(asked)
        return found

    def _set_gone(self, gone: Halves) -> None:
        if len(gone.first) != self.n_gone:
            self._gone = gone
            self._discard(self._gone_segment)
            self._gone_segment = None

    def _add_segment(self, digests: Halves) -> None:
        segment = self._written(digests)
        if segment is None:
            self._recent.add_halves(digests)
            self._spill_at = len(self._recent) + SPILLED
        else:
            self._segments.append(segment)
            self._spill_at = SPILLED
            self.is_changed = True

    def _written(self, digests: Halves) -> Segment | None:
        """Write digests, which are in order; return None where the disk refuses."""
        try:
            with SegmentWriter(self._folder.path(), new_name()) as writer:
                writer.write(digests)
                segment = writer.finish()
        except OSError as exc:
            self._tell(exc)
            return None
        self._is_refused = False
        self._folder.took(segment)
        return segment

    def _begun_merge(self, segments: Sequence[Segment], step: int) -> Merge:
        self._merged = [*segments]
        return merge(self._merged, self._folder.path(), new_name(), step)

    def _go_on_merging(self, n_steps: int | None) -> None:
        """Merge for some steps, or to the end of the merge that has begun."""
        try:
            while n_steps is None or n_steps > 0:
                if self._merge is None:
                    ours = [one for one in self._segments if self._folder.has(one)]
                    group = of_about_one_size(ours)
                    if n_steps is None or self._is_refused or not group:
                        return
                    self._merge = self._begun_merge(group, STEP)
                if (segment := next(self._merge)) is not None:
                    self._replace_merged(segment)
                n_steps = None if n_steps is None else n_steps - 1
        except OSError as exc:
            self._merge = None
            self._tell(exc)
        except DamagedError:
            self._merge = None
            raise

    def _replace_merged(self, segment: Segment) -> None:
        self._folder.took(segment)
        rest = [one for one in self._segments if one not in self._merged]
        self._segments = [segment, *rest]
        for one in self._merged:
            self._discard(one)
        self._merge, self._merged = None, []
        self.is_changed = True

    def _discard(self, segment: Segment | None) -> None:
        """Delete a segment, with the next manifest: the one that is there may name it."""
        if segment is not None and self._folder.is_kept:
            self._obsolete.append(segment)

    def _tell(self, error: OSError) -> None:
        if not self._is_refused:
            logger.warning("known runs stay in memory, for the disk refuses them: %s", error)
        self._is_refused = True
