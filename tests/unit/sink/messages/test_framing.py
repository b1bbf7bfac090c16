"""Messages in two framings are messages in one; what has no known schema is kept as it came."""

from __future__ import annotations

import random
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lakes.landed import PREFIX, kafka_messages
from support.lakes.memory_place import MemoryPlace
from support.messages.framed import IDS, Told, by_id
from support.messages.records import make_declaration, make_record

from conformare_schemas import confluent_header, message_header
from conformare_sink.landing.landing import Landing
from conformare_sink.landing.pending import PendingMessages
from conformare_sink.messages import parts
from conformare_sink.messages.framing import (
    FOREIGN,
    NO_REGISTRY,
    NOT_OURS,
    NOT_RESOLVED,
    as_they_came,
    in_one_framing,
)
from conformare_sink.messages.message import Message
from conformare_sink.messages.parts import announced_rows


@settings(max_examples=40)
@given(st.randoms(use_true_random=False))
def test_it_does_not_matter_which_framing_a_message_has(chance: random.Random) -> None:
    """Within one run, one batch, with what waits, and beside a declaration."""
    records = [make_record(f"run-{n}", rows={"risks": 3, "owners": 2}) for n in range(4)]
    sent = [m for record in records for m in kafka_messages(record)]
    chance.shuffle(sent)
    framed = [by_id(m) if chance.random() < 1 / 2 else m for m in sent]
    cut = chance.randrange(len(sent) + 1)
    places = []
    for messages in (sent, framed):
        place = MemoryPlace()
        for batch in (messages[:cut], messages[cut:]):
            Landing(place, PendingMessages(place.still_waiting()), PREFIX, registry=Told()).land(
                batch
            )
        places.append(place)
    plain, mixed = places
    assert mixed.rows == plain.rows
    assert len(mixed.runs) == len(records)
    assert mixed.rejected == {}


def test_a_declaration_may_have_an_id() -> None:
    """It goes through no assembly."""
    place = MemoryPlace()
    (declared,) = kafka_messages(make_declaration("a.table"), "e")
    Landing(place, PendingMessages(), PREFIX, registry=Told()).land([by_id(declared)])
    assert place.rejected == {}
    assert len(place.rows["source_risks"]) == 2


@pytest.mark.parametrize(
    ("schema_id", "told", "cause"),
    [
        (77, Told(), NOT_RESOLVED),
        (2**32 - 1, Told(), NOT_RESOLVED),
        (77, Told({77: FOREIGN}), NOT_OURS),
        (77, None, NO_REGISTRY),
    ],
)
def test_what_has_no_known_schema_goes_to_quarantine_as_it_came(
    schema_id: int, told: Told | None, cause: str
) -> None:
    """The others of its run wait for it."""
    place = MemoryPlace()
    record = make_record("run", rows={"risks": 1})
    first, last = kafka_messages(record)
    odd = first._replace(value=confluent_header(schema_id) + b"anything")
    landed = Landing(place, PendingMessages(), PREFIX, registry=told).land([odd, last])
    assert [(one.message, one.cause) for one in landed.rejected] == [(odd, cause)]
    assert place.runs == set()
    assert len(place.waiting) == 1
    if told is not None:
        assert told.wanted == ({schema_id} if cause == NOT_RESOLVED else set())


@pytest.mark.parametrize("payload", [b"", b"\0", b"\x02", b"\xff" * 40])
def test_a_wrong_payload_is_quarantined_with_its_own_bytes(payload: bytes) -> None:
    """Not with those that the sink made of it."""
    place = MemoryPlace()
    (message,) = kafka_messages(make_record("run", rows={}))
    odd = message._replace(value=confluent_header(1) + payload)
    Landing(place, PendingMessages(), PREFIX, registry=Told()).land([odd])
    (rejected,) = place.rejected.values()
    assert rejected.message == odd
    assert rejected.cause.startswith("undecodable")


def test_the_schema_of_another_grain_lands_nowhere() -> None:
    """Whoever wrote the id: the topic says which grain it has to be."""
    place = MemoryPlace()
    first, last = kafka_messages(make_record("run", rows={"risks": 1}))
    swapped = by_id(last)._replace(topic=first.topic)
    Landing(place, PendingMessages(), PREFIX, registry=Told()).land([swapped])
    (rejected,) = place.rejected.values()
    assert rejected.cause.startswith("unknown schema: no version of this grain")
    assert rejected.message == swapped
    assert place.runs == set()


def test_rows_are_announced_in_both_framings(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a portion is cut into parts before it takes the memory."""
    messages = kafka_messages(make_record("run", rows={"risks": 7, "owners": 3}))
    framed = [by_id(message) for message in messages]
    expected = announced_rows(messages, PREFIX).tolist()
    assert announced_rows(framed, PREFIX, IDS).tolist() == expected
    assert announced_rows(framed, PREFIX).tolist() == [0] * len(framed)
    monkeypatch.setattr(parts, "_least_bytes_of_a_row", lambda: 1)
    assert len([*parts.in_parts(framed, PREFIX, 9, IDS)]) > 1


def test_without_ids_nothing_is_copied() -> None:
    """Most topics have none."""
    messages = kafka_messages(make_record("run"))
    assert in_one_framing(messages, IDS).messages is messages
    assert as_they_came([], messages) == []
    assert in_one_framing([Message(b"k", None, "t", 0, 0, 0)], None).rejected == ()
    assert message_header("runs") in IDS.values()


class Prompt(Told):
    """A registry that tells as soon as it is asked."""

    def __init__(self) -> None:
        super().__init__({})

    def want(self, ids: Collection[int]) -> bool:
        """Tell of those ids that there are."""
        super().want(ids)
        self.ids |= {one: IDS[one] for one in ids if one in IDS}
        return any(one in self.ids for one in ids)


def test_what_a_registry_tells_at_once_goes_to_no_quarantine() -> None:
    """A message that nobody knows the id of goes there alone."""
    place, registry = MemoryPlace(), Prompt()
    record = make_record("run", rows={"risks": 2})
    strange = Message(b"k", confluent_header(77) + b"payload", f"{PREFIX}runs", 0, 99, 0)
    messages = [*map(by_id, kafka_messages(record)), strange]
    Landing(place, PendingMessages(), PREFIX, registry=registry).land(messages)
    assert len(place.runs) == 1
    assert [one.cause for one in place.rejected.values()] == [NOT_RESOLVED]
    assert 77 in registry.wanted
