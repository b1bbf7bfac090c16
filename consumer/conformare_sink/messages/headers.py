"""Which emission of which producer a message is of, as its headers say it.

Anybody who may write to a topic chooses the bytes of a header, and nothing vouches for them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Sequences = Mapping[str, Numbers]
"""Producer → numbers of its emissions, ascending, each once."""

LONGEST_PRODUCER = 100
"""Bytes; our own jobs name themselves by a UUID."""
LARGEST_SEQUENCE = 2**63 - 1

_SEQUENCE = re.compile(rb"[1-9][0-9]{0,18}")


def sequence_of(producer: bytes | None, sequence: bytes | None) -> tuple[str, int] | None:
    """Return the producer of a message and the number that its emission has there.

    Args:
        producer: Value of the header `conformare.producer`, None where there is none.
        sequence: Value of the header `conformare.sequence`, None where there is none.

    Returns:
        None where one is missing or is not as our jobs write it: up to `LONGEST_PRODUCER` bytes of
        printable UTF-8, and a decimal number from 1 to `LARGEST_SEQUENCE` without leading zeros.
    """
    if producer is None or sequence is None or len(producer) > LONGEST_PRODUCER:
        return None
    try:
        name = producer.decode()
    except UnicodeDecodeError:
        return None
    if not name or not name.isprintable() or _SEQUENCE.fullmatch(sequence) is None:
        return None
    number = int(sequence)
    return (name, number) if number <= LARGEST_SEQUENCE else None


def by_producer(pairs: Iterable[tuple[str, int]]) -> dict[str, Numbers]:
    """Return producers and numbers, as `sequence_of` returns them, by their producers."""
    found: dict[str, list[int]] = defaultdict(list)
    for producer, number in pairs:
        found[producer].append(number)
    return {producer: np.unique(np.array(numbers, np.int64)) for producer, numbers in found.items()}


def together(one: Sequences, other: Sequences) -> dict[str, Numbers]:
    """Return the numbers of both."""
    both = {**one}
    for producer, numbers in other.items():
        both[producer] = np.union1d(both[producer], numbers) if producer in both else numbers
    return both
