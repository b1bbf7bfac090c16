"""Messages in parts of so many rows; that a part is never too large, test_any_input.py shows."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from support.messages.wire import END, PREFIX, array, block, message, number, row, value

from conformare_schemas import HEADER_BYTES, MAX_ROWS_PER_MESSAGE
from conformare_sink.messages import parts
from conformare_sink.messages.message import Message
from conformare_sink.messages.parts import announced_rows, in_parts

OWNER = row("owners")


def owners(n_rows: int, offset: int, key: str = "r") -> Message:
    """A message with so many empty rows."""
    content = value("owners", array(n_rows, OWNER), run_id=key)
    return message("owners", content, offset, key.encode())


def dealt(messages: list[Message], most_rows: int) -> list[list[int]]:
    """The offsets of the messages of each part."""
    return [[m.offset for m in part] for part in in_parts(messages, PREFIX, most_rows)]


def test_messages_of_a_key_stay_together() -> None:
    """Keys in the order in which they first came."""
    messages = [
        owners(60, 0, "a"),
        owners(60, 1, "b"),
        owners(60, 2, "c"),
        owners(30, 3, "a"),
        owners(10, 4, "b"),
    ]
    assert dealt(messages, 150) == [[0, 3], [1, 4, 2]]
    assert dealt(messages, 100) == [[0, 3], [1, 4], [2]]


def test_a_key_with_too_many_rows_is_dealt_out_by_arrival() -> None:
    """What is left of it goes together with others."""
    messages = [owners(50, 9), owners(60, 7), owners(40, 8), owners(10, 3, "other")]
    assert dealt(messages, 100) == [[7, 8], [9, 3]]


def test_a_message_with_more_rows_than_a_part_may_have_is_a_part() -> None:
    """It has a bound of its own."""
    assert dealt([owners(9, 0, "a"), owners(20, 1, "b"), owners(9, 2, "c")], 10) == [[0], [1], [2]]


def test_few_bytes_are_not_looked_at() -> None:
    """They cannot have so many rows: a small batch costs nothing."""
    messages = [owners(64, n, f"r{n}") for n in range(900)]
    with patch.object(parts, "announced_rows") as look:
        assert list(in_parts(messages, PREFIX)) == [messages]
        assert list(in_parts([], PREFIX)) == [[]]
    look.assert_not_called()


def test_a_hostile_backlog_is_cut_by_its_rows() -> None:
    """A row takes four bytes of it, and hundreds in memory."""
    messages = [owners(MAX_ROWS_PER_MESSAGE, n, f"r{n}") for n in range(60)]
    assert [len(part) for part in in_parts(messages, PREFIX)] == [25, 25, 10]


@pytest.mark.parametrize(
    ("rows", "announced"),
    [
        (array(3, OWNER), 3),
        (block(3, OWNER * 3, with_size=True) + END, 3),
        (number(3, 5) + OWNER * 3 + END, 3),
        (array(240_000, OWNER), MAX_ROWS_PER_MESSAGE),
        (number(2**62, 10) + OWNER * 240_000 + END, MAX_ROWS_PER_MESSAGE),
        (number(0), 0),
    ],
)
def test_rows_are_counted_without_reading_them(rows: bytes, announced: int) -> None:
    """Never more than a message may have, for then nothing of it is kept."""
    assert announced_rows([message("owners", value("owners", rows))], PREFIX).tolist() == [
        announced
    ]


@pytest.mark.parametrize(
    "rows",
    [
        number(9_000) + OWNER * 3 + END,
        number(2**62) + OWNER * 3 + END,
        number(-(2**63)) + OWNER * 3 + END,
        number(3, 10) + OWNER * 3 + END,  # in more bytes than any number of ours
        b"",
    ],
)
def test_no_more_rows_are_counted_than_the_bytes_can_have(rows: bytes) -> None:
    """Whatever they announce."""
    content = value("owners", rows)
    (announced,) = announced_rows([message("owners", content)], PREFIX)
    assert announced == (len(content) - HEADER_BYTES) // len(OWNER)


def test_what_cannot_be_read_has_no_rows() -> None:
    """Messages of other topics and schemas, and those without a value."""
    content = value("owners", array(3, OWNER))
    messages = [
        message("owners", None),
        message("owners", b""),
        message("owners", content[:9]),
        message("owners", content[:2] + b"12345678" + content[10:]),
        message("sinks", content),
        message("owners", content)._replace(topic="owners"),
        message("owners", content),
    ]
    assert announced_rows(messages, PREFIX).tolist() == [0, 0, 0, 0, 0, 0, 3]


def test_a_long_name_hides_no_rows() -> None:
    """What stands before the rows may be longer than what is looked at."""
    content = value("owners", array(300, OWNER), pipeline="p" * 50_000)
    (announced,) = announced_rows([message("owners", content)], PREFIX)
    assert announced >= 300
