"""What a message may cost: rows, work and memory stay within bounds that its bytes cannot lift.

Told by what is called and kept, never by the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from fastavro import schemaless_reader
from support.messages.wire import (
    END,
    PREFIX,
    array,
    block,
    counts,
    message,
    number,
    row,
    text,
    value,
)

from conformare_schemas import MAX_ROWS_PER_MESSAGE
from conformare_sink.messages import content, decode
from conformare_sink.messages.content import SEVERAL_BLOCKS, TOO_MANY_ROWS
from conformare_sink.messages.envelope import LONGEST_IDENTITY, MOST_ROWS_OF_EMISSION
from conformare_sink.messages.message import Message
from conformare_sink.messages.side_by_side.columns import read_columns

OWNER = row("owners")
A_MEGABYTE = 240_000
"""Empty rows of the grain `owners`."""


@contextmanager
def general_decoder() -> Iterator[list[Any]]:
    """The schemas of which the general decoder read a value, each time it did."""
    read = []

    def spy(payload: Any, written: Any, newest: Any = None) -> Any:
        read.append(written)
        return schemaless_reader(payload, written, newest)

    with patch.object(content, "schemaless_reader", spy):
        yield read


def cause_of(message: Message) -> str:
    """Why a message cannot be used; nothing of it is kept."""
    decoded = decode.decode([message], PREFIX)
    assert sum(table.num_rows for table in decoded.rows.values()) == 0
    (rejected,) = decoded.rejected
    return rejected.cause


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        (array(A_MEGABYTE, OWNER), TOO_MANY_ROWS),
        (array(MAX_ROWS_PER_MESSAGE + 1, OWNER), TOO_MANY_ROWS),
        (block(A_MEGABYTE, OWNER * A_MEGABYTE, with_size=True) + END, TOO_MANY_ROWS),
        (number(2**62) + OWNER * A_MEGABYTE, TOO_MANY_ROWS),
        (number(-(2**62)) + number(9) + OWNER * A_MEGABYTE, TOO_MANY_ROWS),
        (number(2**63 - 1) + OWNER, TOO_MANY_ROWS),
        (block(1, OWNER) * 190_000 + END, SEVERAL_BLOCKS),
        (block(1, OWNER, with_size=True) * 160_000 + END, SEVERAL_BLOCKS),
        (block(1, OWNER) + array(A_MEGABYTE, OWNER), SEVERAL_BLOCKS),
        (block(1, OWNER) + block(1, OWNER, with_size=True) + END, SEVERAL_BLOCKS),
    ],
)
def test_too_many_rows_are_not_read(rows: bytes, cause: str) -> None:
    """However they are cut into blocks, and whatever those announce."""
    with general_decoder() as read:
        assert cause_of(message("owners", value("owners", rows))) == cause
    assert len(read) < 6


def test_as_many_rows_as_a_message_may_have_are_read() -> None:
    """In one block, with its size in bytes or without."""
    for with_size in (False, True):
        rows = block(MAX_ROWS_PER_MESSAGE, OWNER * MAX_ROWS_PER_MESSAGE, with_size=with_size) + END
        decoded = decode.decode([message("owners", value("owners", rows))], PREFIX)
        assert [e.n_rows for e in decoded.envelopes] == [MAX_ROWS_PER_MESSAGE]
        assert decoded.rows["owners"].num_rows == MAX_ROWS_PER_MESSAGE


def test_the_lowest_number_announces_nothing() -> None:
    """Its amount is no number of 64 bits."""
    rows = number(-(2**63)) + number(9) + OWNER
    assert cause_of(message("owners", value("owners", rows))) == TOO_MANY_ROWS


@pytest.mark.parametrize(
    ("grain", "rows"),
    [
        ("owners", block(1, number(2**31) + b"x" * 100)),
        ("owners", block(1, number(2**62) + b"x" * 100)),
        ("owners", block(1, number(-1) + b"x" * 100)),
        ("owners", number(1) + b"\x80" * 900_000 + END),
        ("owners", b"\x80" * 900_000),
        ("sources", block(1, text("") * 4 + number(2**62) + text("") * 900_000) + END),
        ("sources", block(1, text("") * 4 + number(-(2**62)) + number(3)) + END),
    ],
)
def test_more_than_there_is_can_be_announced(grain: str, rows: bytes) -> None:
    """Texts of two gigabytes, numbers without an end, lists of 2^62 items."""
    assert cause_of(message(grain, value(grain, rows))).startswith("undecodable")


@pytest.mark.parametrize("items", [array(900_000, text("")), block(1, text("")) * 450_000 + END])
def test_a_long_list_is_one_value(items: bytes) -> None:
    """It costs what its bytes cost, in one block or in many."""
    rows = block(1, row("sources", columns=items)) + END
    decoded = decode.decode([message("sources", value("sources", rows))], PREFIX)
    assert [e.n_rows for e in decoded.envelopes] == [1]
    (found,) = decoded.rows["sources"]["columns"].to_pylist()
    assert set(found) == {""}


def test_counts_of_grains_that_nobody_knows_are_refused() -> None:
    """Also of a hundred thousand of them."""
    many = [("runs", 1), *((f"g{n}", 1) for n in range(100_000))]
    spoilt = message("runs", value("runs", array(1, row("runs")), counts(many)))
    (rejected,) = decode.decode([spoilt], PREFIX).rejected
    assert "names a grain that this sink does not know" in rejected.cause


def test_an_emission_announces_no_more_rows_than_memory_holds() -> None:
    """They land at once."""
    for rows, is_refused in ((MOST_ROWS_OF_EMISSION - 1, False), (MOST_ROWS_OF_EMISSION, True)):
        announced = counts([("runs", 1), ("owners", rows)])
        runs = message("runs", value("runs", array(1, row("runs")), announced))
        rejected = decode.decode([runs], PREFIX).rejected
        assert [one.cause for one in rejected] == is_refused * [
            "breaks the contract: more than 1,000,000 rows in one emission"
        ]


@pytest.mark.parametrize("name", ["run_id", "pipeline", "emission_id"])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_what_is_repeated_in_every_row_is_short(name: str, letter: str) -> None:
    """A message of 100 KB with 10,000 empty rows would become a gigabyte."""
    fits = LONGEST_IDENTITY // len(letter.encode()) - 2
    most = f"{LONGEST_IDENTITY:,} bytes"
    told = f"breaks the contract: run_id, pipeline and emission_id have together more than {most}"
    for length, is_refused in ((fits, False), (fits + 2, True)):
        names = {name: letter * length}
        owners = message(
            "owners",
            value("owners", array(1, OWNER), **names),  # type: ignore[arg-type]  # by their names
            key=names.get("run_id", "r").encode(),
        )
        rejected = decode.decode([owners], PREFIX).rejected
        assert [one.cause for one in rejected] == is_refused * [told]


def test_messages_are_read_a_chunk_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a chunk is read, its bytes take many times their memory."""
    at_once: list[int] = []
    actual_keep = decode._Grain._keep

    def columns(grain: str, values: Sequence[bytes], schema: Any) -> Any:
        at_once.append(sum(map(len, values)))
        return read_columns(grain, values, schema)

    def keep(self: Any, read: Sequence[tuple[Message, Any]]) -> None:
        at_once.append(sum(len(message.value or b"") for message, _ in read))
        actual_keep(self, read)

    regular, odd = (
        value("owners", block(9, OWNER * 9, with_size=with_size) + END)
        for with_size in (False, True)
    )
    monkeypatch.setattr(decode, "CHUNK_BYTES", 1_000)
    monkeypatch.setattr(decode, "read_columns", columns)
    monkeypatch.setattr(decode._Grain, "_keep", keep)
    messages = [message("owners", regular, n) for n in range(100)]
    messages += [message("owners", odd, n) for n in range(100, 200)]
    decoded = decode.decode(messages, PREFIX)
    assert sorted(e.message.offset for e in decoded.envelopes) == list(range(200))
    assert max(at_once) < 1_000 + len(odd)


def test_few_rows_are_python_objects_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their bytes are: empty ones have next to none."""
    at_once: list[int] = []
    actual = decode._Grain._keep

    def keep(self: Any, read: Sequence[tuple[Message, Any]]) -> None:
        at_once.append(sum(len(content["rows"]) for _, content in read))
        actual(self, read)

    monkeypatch.setattr(decode._Grain, "_keep", keep)
    rows = array(MAX_ROWS_PER_MESSAGE, OWNER)
    messages = [message("owners", value("owners", rows), n) for n in range(5)]
    assert len(decode.decode(messages, PREFIX).envelopes) == 5
    assert max(at_once) < decode.CHUNK_ROWS + MAX_ROWS_PER_MESSAGE


def test_numbers_that_fit_nowhere_are_found_message_by_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is looked at a few times, and the good ones become one table."""
    looks = 0
    actual = decode._Grain._columns

    def columns(self: Any, read: Sequence[tuple[Message, Any]]) -> Any:
        nonlocal looks
        looks += len(read)
        return actual(self, read)

    monkeypatch.setattr(decode._Grain, "_columns", columns)
    messages = [
        message("sinks", value("sinks", array(1, row("sinks", n_sensitive=number(n_sensitive)))), n)
        for n, n_sensitive in enumerate([7, 2**40] * 50)
    ]
    decoded = decode.decode(messages, PREFIX)
    assert [e.message.offset for e in decoded.envelopes] == list(range(0, 100, 2))
    assert {r.cause for r in decoded.rejected} == {
        "breaks the contract: a number does not fit its type"
    }
    found = decoded.rows["sinks"]
    assert found["n_sensitive"].to_pylist() == [7] * 50
    assert looks <= 3 * len(messages)


@pytest.mark.parametrize("module", [content, decode])
def test_a_process_without_memory_blames_no_message(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be in quarantine for ever; what is good comes again in a smaller portion."""

    def exhausted(*_: object) -> None:
        raise MemoryError

    name = "schemaless_reader" if module is content else "read_columns"
    monkeypatch.setattr(module, name, exhausted)
    rows = block(1, OWNER, with_size=True) + END
    with pytest.raises(MemoryError):
        decode.decode([message("owners", value("owners", rows))], PREFIX)
