"""What headers say of producer and sequence, judged as bytes: anybody may have written them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.emission._headers import emission_headers
from conformare_schemas import PRODUCER_HEADER, SEQUENCE_HEADER
from conformare_sink.messages.headers import (
    LARGEST_SEQUENCE,
    LONGEST_PRODUCER,
    by_producer,
    sequence_of,
    together,
)

pairs = st.lists(st.tuples(st.sampled_from("pq"), st.integers(1, LARGEST_SEQUENCE)))

PRODUCER = b"0190163d-8694-739b-aea5-966c26f8ad90"


@given(producer=st.uuids().map(str), sequence=st.integers(1, LARGEST_SEQUENCE))
def test_what_our_jobs_write_is_read(producer: str, sequence: int) -> None:
    """Every process and every number that it can reach."""
    headers = emission_headers(producer, sequence)
    found = sequence_of(headers[PRODUCER_HEADER], headers[SEQUENCE_HEADER])
    assert found == (producer, sequence)


@pytest.mark.parametrize(
    "producer",
    [
        None,
        b"",
        b"\xff",
        b"caf\xe9",
        b"\xed\xa0\x80",  # half of a surrogate pair
        b"p" * (LONGEST_PRODUCER + 1),
        "é".encode() * LONGEST_PRODUCER,
        b"p\n1",
        b"\x1b[31mp",
        b"\x00",
        "\x9b31m".encode(),  # the same in C1
        "p\u202e".encode(),  # what follows is shown from right to left
        "p\u2028".encode(),
    ],
)
def test_a_producer_that_no_job_of_ours_has_is_not_known(producer: bytes | None) -> None:
    """Also beside a valid sequence: it used to end the sink."""
    assert sequence_of(producer, b"1") is None


@pytest.mark.parametrize(
    "sequence",
    [
        None,
        b"",
        b"0",
        b"-1",
        b"+1",
        b"01",
        b" 1",
        b"1\n",
        b"1.0",
        b"1e3",
        b"1_000",
        b"0x1",
        "\u0661".encode(),  # a digit in Arabic, which `int` takes
        b"\xff",
        b"\x00\x00\x00\x01",
        str(LARGEST_SEQUENCE + 1).encode(),
        b"9" * 19,
        b"9" * 5_000,
    ],
)
def test_a_sequence_that_is_no_plain_number_is_not_known(sequence: bytes | None) -> None:
    """It counts from 1, in 64 bits."""
    assert sequence_of(PRODUCER, sequence) is None


@pytest.mark.parametrize("name", ["p", "[/boom]", "<b>", "läufer 7", "p" * LONGEST_PRODUCER])
def test_any_printable_name_is_a_producer(name: str) -> None:
    """Names are compared and never interpreted."""
    assert sequence_of(name.encode(), b"7") == (name, 7)


@given(producer=st.none() | st.binary(max_size=120), sequence=st.none() | st.binary(max_size=25))
def test_no_bytes_make_it_raise(producer: bytes | None, sequence: bytes | None) -> None:
    """What is known is in its bounds."""
    found = sequence_of(producer, sequence)
    if found is not None:
        assert found[0].isprintable()
        assert found[0].encode() == producer
        assert str(found[1]).encode() == sequence
        assert 1 <= found[1] <= LARGEST_SEQUENCE


@given(one=pairs, other=pairs)
def test_numbers_that_come_in_two_parts_are_those_that_came(
    one: list[tuple[str, int]], other: list[tuple[str, int]]
) -> None:
    """Each once, in their order; the parts stay as they are."""
    first = by_producer(one)
    both = together(first, by_producer(other))
    found = {producer: numbers.tolist() for producer, numbers in both.items()}
    said = {*one, *other}
    assert found == {p: sorted(n for q, n in said if q == p) for p, _ in said}
    assert first.keys() == {producer for producer, _ in one}
