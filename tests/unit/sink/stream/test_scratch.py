"""What waits during a replay is on the disk, and comes back in portions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from conformare_sink.messages.emission import EmissionKey, emission_identity
from conformare_sink.messages.envelope import Envelope
from conformare_sink.messages.message import LATEST_TIME, Message
from conformare_sink.stream import scratch
from conformare_sink.stream.scratch import ScratchMessages


def waiting(
    offset: int, value: bytes, timestamp: int = 0, emission_id: str = "e", partition: int = 0
) -> Envelope:
    """A message that waits."""
    message = Message(b"run", value, "t.runs", partition, offset, timestamp)
    return Envelope(message, "runs", 1, 0, "run", "p", 0, emission_id, 0, None)


@pytest.fixture
def messages() -> Iterator[ScratchMessages]:
    """Where they wait."""
    with closing(ScratchMessages()) as opened:
        yield opened


def test_messages_come_back_as_they_were_in_the_order_asked(messages: ScratchMessages) -> None:
    """One that is kept again is there once, and one that is not there is left out."""
    kept = [waiting(n, bytes([n]) * 3) for n in range(5)]
    kept += [waiting(2**63 - 1, b"\x00\xff"), waiting(0, b"of a topic made again", LATEST_TIME)]
    messages.keep_waiting(kept)
    messages.keep_waiting(kept[:2])
    wanted = [envelope.message for envelope in (*kept[3:], kept[0])]
    places = [message.place for message in wanted]
    places.insert(1, waiting(77, b"").message.place)
    assert [one for portion in messages.waiting_messages(places) for one in portion] == wanted


def test_portions_are_bounded_by_bytes(
    messages: ScratchMessages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number of messages."""
    monkeypatch.setattr(scratch, "MOST_BYTES", 10)
    kept = [waiting(n, b"x" * 4) for n in range(7)]
    messages.keep_waiting(kept)
    places = [envelope.message.place for envelope in kept]
    assert [len(portion) for portion in messages.waiting_messages(places)] == [3, 3, 1]


def test_what_waits_no_more_is_gone(messages: ScratchMessages) -> None:
    """The others stay."""
    kept = [waiting(n, b"x") for n in range(3)]
    messages.keep_waiting(kept)
    messages.stop_waiting([kept[1].message.place])
    places = [envelope.message.place for envelope in kept]
    (portion,) = messages.waiting_messages(places)
    assert [message.offset for message in portion] == [0, 2]


def test_an_emission_that_is_decided_is_gone_with_all_its_messages(
    messages: ScratchMessages,
) -> None:
    """Others of the same run wait on."""
    e, unknown = (emission_identity(EmissionKey("p", "run", name)) for name in ("e", "unknown"))
    messages.forget([e])
    messages.keep_waiting([waiting(n, b"x") for n in range(3)])
    messages.keep_waiting([waiting(7, b"x", emission_id="other")])
    messages.forget([e, unknown])
    assert messages.offsets() == {("t.runs", 0): [7]}
    assert len(messages) == 1


def test_offsets_are_in_order_by_partition(messages: ScratchMessages) -> None:
    """However they came."""
    messages.keep_waiting(
        [waiting(offset, b"", partition=offset % 2) for offset in (9, 4, 2**40, 3)]
    )
    assert messages.offsets() == {("t.runs", 0): [4, 2**40], ("t.runs", 1): [3, 9]}
