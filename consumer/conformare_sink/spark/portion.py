"""A portion of a micro-batch: messages that this process holds at once, and those that it must not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conformare_sink.messages.envelope import Rejected
from conformare_sink.messages.headers import sequence_of
from conformare_sink.messages.message import LARGEST_MESSAGE, Message, Weighed, messages_of
from conformare_sink.spark.dealing import Ints

TOO_LARGE = "too large"
"""What causes begin with of messages whose values were not read."""

LEAST_WEIGHT = 1000
"""What a message counts at least, in bytes: with fewer, it is objects of Python that take the room."""


PORTION_WEIGHT = 64 * 1024 * 1024
"""Bytes, of which each message counts `LEAST_WEIGHT` at least: 67,000 messages at most."""


@dataclass(frozen=True)
class Portion:
    """Some messages of a micro-batch; no run is in two, but where very much has one key, or none."""

    messages: list[Message] = field(default_factory=list)
    too_large: list[Rejected] = field(default_factory=list)
    """Messages whose values were not read."""
    sequences: set[tuple[str, int]] = field(default_factory=set)
    """Producers and the sequence numbers of their emissions, where messages name them."""
    is_whole: bool = False
    """Whether it is all of its batch."""

    @classmethod
    def of(cls, weighed: Iterable[Weighed]) -> Portion:
        """Return messages with their weights as a portion."""
        portion = cls()
        portion.add(weighed)
        return portion

    def add(self, weighed: Iterable[Weighed]) -> None:
        """Add messages with their weights."""
        for message, weight, producer, sequence in weighed:
            if weight is not None and weight <= LARGEST_MESSAGE:
                self.messages.append(message)
            else:
                self.too_large.append(_rejected(message, weight))
            if known := sequence_of(producer, sequence):
                self.sequences.add(known)

    @classmethod
    def of_table(
        cls, table: pa.Table, others: Iterable[Weighed] = (), *, is_whole: bool = False
    ) -> Portion:
        """Return the messages of a table, and others.

        Args:
            table: `MESSAGE_COLUMNS`, producer, sequence and weight.
            others: Messages that are not in the table.
            is_whole: Whether they are all of a batch.
        """
        is_too_large = pc.greater(table["weight"], LARGEST_MESSAGE)
        left_out = table.filter(is_too_large)
        weights = left_out["weight"].to_pylist()
        read = table.filter(pc.invert(is_too_large)) if len(left_out) else table
        pairs = table.select(["producer", "sequence"]).drop_null()
        distinct = pairs.group_by(["producer", "sequence"]).aggregate([])
        known = map(sequence_of, *(distinct[name].to_pylist() for name in ("producer", "sequence")))
        portion = cls(
            messages=messages_of(read),
            too_large=[*map(_rejected, messages_of(left_out), weights)],
            sequences={*filter(None, known)},
            is_whole=is_whole,
        )
        portion.add(others)
        return portion


def weights_here(weights: Ints) -> Ints:
    """Return what messages take in a portion, by their weight, in bytes."""
    return np.maximum(np.where(weights > LARGEST_MESSAGE, 0, weights), LEAST_WEIGHT)


def _rejected(message: Message, weight: int | None) -> Rejected:
    if weight is None:
        return Rejected(message, f"{TOO_LARGE}: Java's memory does not hold it")
    return Rejected(message, f"{TOO_LARGE}: more than {LARGEST_MESSAGE:,} bytes", weight)
