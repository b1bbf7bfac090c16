"""Messages of declared risks become rows, or a cause."""

from __future__ import annotations

import itertools

import pytest
from support.messages.produce import messages_of
from support.messages.records import TS, make_declaration, make_record
from support.messages.wire import END, PREFIX, array, message, number, row, text, value

from conformare_schemas import (
    EARLIEST_TS_MICROS,
    SOURCE_RISKS,
    message_header,
    table_columns,
    topic_name,
)
from conformare_sink.messages import declarations
from conformare_sink.messages.decode import decode
from conformare_sink.messages.heads import emission_keys
from conformare_sink.messages.message import Message
from conformare_sink.messages.parts import announced_rows

TOPIC = topic_name(SOURCE_RISKS, PREFIX)
ONE = array(1, row(SOURCE_RISKS, risk_id=text("own.risk")))

_offsets = itertools.count()


def declaring(location: str, emission_id: str, *risk_ids: str, note: str | None = None) -> Message:
    """A message as Kafka delivers it, behind those before."""
    (one,) = messages_of(make_declaration(location, *risk_ids, note=note), emission_id)
    offset = next(_offsets)
    return Message(one.key, one.value, TOPIC, 0, offset, offset)


def test_a_declaration_has_the_rows_of_its_table() -> None:
    """With location, time and emission in each."""
    decoded = decode([declaring("/a", "e-1", "x", "y"), declaring("/b", "e-2", "z")], PREFIX)
    assert decoded.declared.column_names == [column.name for column in table_columns(SOURCE_RISKS)]
    assert decoded.declared.select(["location", "risk_id", "emission_id"]).to_pylist() == [
        {"location": "/a", "risk_id": "x", "emission_id": "e-1"},
        {"location": "/a", "risk_id": "y", "emission_id": "e-1"},
        {"location": "/b", "risk_id": "z", "emission_id": "e-2"},
    ]
    assert {f"{ts:%Y-%m-%dT%H:%M:%S.%fZ}" for ts in decoded.declared["ts"].to_pylist()} == {TS}
    assert (decoded.envelopes, decoded.rejected, decoded.rows) == ([], [], {})


def test_of_an_emission_that_came_twice_the_first_to_arrive_counts() -> None:
    """In whichever order they are read."""
    first, second = declaring("/a", "e", note="first"), declaring("/a", "e", note="second")
    declared = decode([second, first, first], PREFIX).declared
    assert declared["note"].to_pylist() == ["first", "first"]


def test_many_rows_become_columns_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is lost at the border of two."""
    monkeypatch.setattr(declarations, "ROWS_AT_ONCE", 2)
    messages = [declaring(f"/{n}", f"e-{n}", *"abc"[: n % 3 + 1]) for n in range(7)]
    declared = decode(messages, PREFIX).declared
    assert declared["location"].to_pylist() == [
        f"/{n}" for n in range(7) for _ in "abc"[: n % 3 + 1]
    ]


@pytest.mark.parametrize(
    ("content", "key", "cause"),
    [
        (None, b"r", "not framed"),
        (b"garbage", b"r", "not framed"),
        (message_header("owners") + b"x", b"r", "unknown schema"),
        (message_header(SOURCE_RISKS) + b"x", b"r", "undecodable"),
        (value(SOURCE_RISKS, ONE) + b"x", b"r", "undecodable: there are bytes behind"),
        (value(SOURCE_RISKS, ONE), b"s", "breaks the contract: the key is not the location"),
        (value(SOURCE_RISKS, ONE), None, "breaks the contract: the key is not the location"),
        (value(SOURCE_RISKS, ONE, run_id=""), b"", "breaks the contract: location or emission_id"),
        (value(SOURCE_RISKS, ONE, emission_id=""), b"r", "breaks the contract: location or"),
        (value(SOURCE_RISKS, ONE, emission_id="e" * 2_560), b"r", "breaks the contract: location"),
        (value(SOURCE_RISKS, END), b"r", "breaks the contract: no rows"),
        (value(SOURCE_RISKS, array(10_001, b"")), b"r", "breaks the contract: more than 10,000"),
        (
            message_header(SOURCE_RISKS)
            + text("r")
            + number(EARLIEST_TS_MICROS - 1)
            + text("e")
            + ONE,
            b"r",
            "breaks the contract: ts is outside the years 1900 to 9999",
        ),
    ],
)
def test_what_breaks_the_contract_has_a_cause(
    content: bytes | None, key: bytes | None, cause: str
) -> None:
    """And its neighbours are used."""
    bad = message(SOURCE_RISKS, content, 1_000, key)
    decoded = decode([bad, declaring("/a", "e-1")], PREFIX)
    assert [(one.message, one.cause.startswith(cause)) for one in decoded.rejected] == [(bad, True)]
    assert {*decoded.declared["location"].to_pylist()} == {"/a"}


def test_a_message_of_a_run_on_the_topic_of_declarations_is_not_taken_for_one() -> None:
    """Nor the other way round."""
    (declared,) = messages_of(make_declaration("/a"), "e")
    strays = [
        Message(m.key, m.value, TOPIC, 0, n, n)
        for n, m in enumerate(messages_of(make_record("r"), "e"))
    ]
    strays.append(Message(declared.key, declared.value, topic_name("runs", PREFIX), 0, 0, 0))
    decoded = decode(strays, PREFIX)
    assert len(decoded.rejected) == len(strays)
    assert not decoded.declared.num_rows


def test_a_declaration_is_of_no_run_and_announces_its_rows() -> None:
    """So it is never left out as one of a known run, and parts stay bounded."""
    message = declaring("/a", "e", "x", "y", "z")
    assert emission_keys([message], PREFIX) == [None]
    assert announced_rows([message], PREFIX).tolist() == [3]
