"""The head of a message says of which emission it is, exactly as `decode` finds it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages.hostile import any_message
from support.messages.produce import messages_of
from support.messages.records import make_record
from support.messages.wire import (
    END,
    MOMENT,
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

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    LATEST_TS_MICROS,
    MAX_ROWS_PER_MESSAGE,
    RUN_GRAINS,
    message_header,
    topic_name,
)
from conformare_sink.messages.decode import decode
from conformare_sink.messages.emission import EmissionKey
from conformare_sink.messages.envelope import LONGEST_IDENTITY
from conformare_sink.messages.heads import emission_keys
from conformare_sink.messages.message import Message

KEY = EmissionKey("p", "r", "e")
ROW = array(1, row("owners"))
BEHIND_THE_HEAD = re.compile(
    "undecodable|.*several|.*more than one block|.*row_counts|.*rows in one emission|.*does not fit"
)
"""Causes that only who decodes the rows, or what stands behind them, can find."""


@given(messages=st.lists(any_message(), max_size=12))
@settings(max_examples=300)
def test_heads_say_what_decode_finds(messages: list[Message]) -> None:
    """Or nothing, where a number has ten bytes; and nothing of what is rejected by its head."""
    keys = dict(zip(map(id, messages), emission_keys(messages, PREFIX), strict=True))
    decoded = decode(messages, PREFIX)
    for envelope in decoded.envelopes:
        found = keys[id(envelope.message)]
        expected = EmissionKey(envelope.pipeline, envelope.run_id, envelope.emission_id)
        has_long_number = re.search(rb"[\x80-\xff]{9}", envelope.message.value or b"")
        assert found == expected or (found is None and has_long_number)
    for rejected in decoded.rejected:
        assert keys[id(rejected.message)] is None or BEHIND_THE_HEAD.match(rejected.cause)


def test_every_grain_and_every_piece_is_of_its_emission() -> None:
    """Also where emissions of one run come mixed."""
    messages: list[Message] = []
    expected: list[EmissionKey | None] = []
    for emission_id in ("one", "two"):
        for n, produced in enumerate(
            messages_of(make_record("a run"), emission_id, max_message_bytes=900)
        ):
            topic = topic_name(produced.grain, PREFIX)
            messages.append(Message(produced.key, produced.value, topic, 0, n, n))
            expected.append(EmissionKey("pipeline", "a run", emission_id))
    half = len(messages) // 2
    mixed = [n for pair in zip(range(half), range(half, 2 * half), strict=True) for n in pair]
    assert {topic_name(grain, PREFIX) for grain in RUN_GRAINS} == {m.topic for m in messages}
    assert emission_keys([messages[n] for n in mixed], PREFIX) == [expected[n] for n in mixed]


@pytest.mark.parametrize(
    "content",
    [
        value("owners", ROW),
        value("owners", block(1, row("owners"), with_size=True) + END),
        message_header("owners") + text("r") + text("p") + number(MOMENT, 9) + text("e")
        + number(0, 3) + number(1, 2) + row("owners") + END,
        value("owners", array(MAX_ROWS_PER_MESSAGE, row("owners"))),
        value("owners", ROW, first_row=2**31 - 1),
    ],
)  # fmt: skip
def test_a_head_may_be_written_in_any_way_that_is_accepted(content: bytes) -> None:
    """Numbers in more bytes than they need, blocks with their size."""
    one = message("owners", content)
    assert len(decode([one], PREFIX).envelopes) == 1
    assert emission_keys([one], PREFIX) == [KEY]


LATE = message_header("owners") + text("r") + text("p") + number(LATEST_TS_MICROS + 1) + text("e")
EARLY = (
    message_header("owners") + text("r") + text("p") + number(EARLIEST_TS_MICROS - 1) + text("e")
)


@pytest.mark.parametrize(
    "bad",
    [
        message("owners", None),
        message("owners", b""),
        message("owners", value("owners", ROW)[:20]),
        message("owners", value("owners", ROW), key=None),
        message("owners", value("owners", ROW), key=b"another"),
        message("owners", value("owners", ROW))._replace(topic="another.owners"),
        message("owners", value("risks", ROW)),
        message("owners", value("owners", ROW, run_id=""), key=b""),
        message("owners", value("owners", ROW, pipeline="")),
        message("owners", value("owners", ROW, emission_id="")),
        message("owners", value("owners", ROW, pipeline="p" * LONGEST_IDENTITY)),
        message("owners", value("owners", ROW, first_row=-1)),
        message("owners", value("owners", ROW, first_row=2**31)),
        message("owners", value("owners", END)),
        message("owners", value("owners", number(MAX_ROWS_PER_MESSAGE + 1))),
        message("owners", LATE + number(0) + ROW),
        message("owners", EARLY + number(0) + ROW),
        message("owners", message_header("owners") + text("r") + number(-3) + b"abc"),
        message("owners", message_header("owners") + text("r") + text(b"\xff") + number(MOMENT)
                + text("e") + number(0) + ROW),
        message("runs", value("runs", array(2, row("runs")), counts([("runs", 1)]))),
        message("runs", value("runs", array(1, row("runs")), counts([("runs", 1)]), first_row=1)),
    ],
)  # fmt: skip
def test_what_is_rejected_by_its_head_is_of_no_emission(bad: Message) -> None:
    """Whether or not a good message of that key came before it."""
    assert decode([bad], PREFIX).envelopes == []
    good = message("owners", value("owners", ROW))
    assert emission_keys([bad, good, bad], PREFIX) == [None, KEY, None]
