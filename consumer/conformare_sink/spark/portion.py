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

MESSAGE_WEIGHT = 1000
"""What a message takes beside its bytes, in bytes."""


@dataclass(frozen=True)
class Portion:
    """Some messages of a micro-batch; no run is in two, but where very much has one key, or none."""

    messages: list[Message] = field(default_factory=list)
    too_large: list[Rejected] = field(default_factory=list)
    """Messages whose values were not read."""
    sequences: set[tuple[str, int]] = field(default_factory=set)
    """Producers and the sequence numbers of their emissions, where messages name them."""

    def add(self, weighed: Iterable[Weighed]) -> None:
        """Add messages with their weights."""
        for message, weight, producer, sequence in weighed:
            if weight is not None and weight <= LARGEST_MESSAGE:
                self.messages.append(message)
            else:
                self.too_large.append(Rejected(message, _cause(weight)))
            if known := sequence_of(producer, sequence):
                self.sequences.add(known)

    def add_table(self, table: pa.Table) -> None:
        """Add the messages of a table: `MESSAGE_COLUMNS`, producer, sequence and weight."""
        is_too_large = pc.greater(table["weight"], LARGEST_MESSAGE)
        if pc.any(is_too_large).as_py():
            left_out = table.filter(is_too_large)
            causes = map(_cause, left_out["weight"].to_pylist())
            self.too_large.extend(map(Rejected, messages_of(left_out), causes))
            self.messages.extend(messages_of(table.filter(pc.invert(is_too_large))))
        else:
            self.messages.extend(messages_of(table))
        pairs = table.select(["producer", "sequence"]).drop_null()
        distinct = pairs.group_by(["producer", "sequence"]).aggregate([]).to_pydict()
        known = map(sequence_of, distinct["producer"], distinct["sequence"])
        self.sequences.update(filter(None, known))


def weights_here(weights: Ints) -> Ints:
    """Return what messages take in a portion, by their weight, in bytes."""
    return np.where(weights > LARGEST_MESSAGE, 0, weights) + MESSAGE_WEIGHT


def _cause(weight: int | None) -> str:
    if weight is None:
        return "too large: Java's memory does not hold it"
    return f"too large: {weight:,} bytes"
