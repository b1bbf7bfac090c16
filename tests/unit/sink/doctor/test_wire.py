"""What brokers answer to the two requests of our own, whatever it is."""

from __future__ import annotations

import struct
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare_sink.doctor.brokers import wire as subject
from conformare_sink.doctor.brokers.wire import Release, controller_time, release
from conformare_sink.kafka.listener import Address

NOBODY = Address("127.0.0.1", 1)
MOMENT = datetime(2026, 2, 3, tzinfo=timezone.utc)


def answering(content: bytes | None, patch: pytest.MonkeyPatch) -> None:
    """Let a broker answer so."""
    patch.setattr(subject, "exchange", lambda *_: content)


def versions(fetch: int, level: int | None) -> bytes:
    """What a broker can do, as Kafka's protocol writes it (ApiVersions, version 3)."""
    keys = struct.pack(">hB", 0, 3) + struct.pack(">hhhB", 1, 0, fetch, 0)
    keys += struct.pack(">hhhB", 18, 0, 4, 0) + struct.pack(">i", 0)
    if level is None:
        return keys + b"\x00"
    name = b"metadata.version"
    features = b"\x02" + bytes([len(name) + 1]) + name + struct.pack(">hhB", 1, level, 0)
    return keys + b"\x02" + bytes([9, 1, 7]) + bytes([0, len(features)]) + features


@pytest.mark.parametrize(
    ("content", "expected", "shown"),
    [
        (versions(17, 27), Release((4, 1), is_exact=True), "Kafka 4.1"),
        (versions(13, 7), Release((3, 3), is_exact=True), "Kafka 3.3"),
        (versions(17, 99), Release((4, 2), is_exact=False), "Kafka 4.2 or newer"),
        (versions(15, None), Release((3, 5), is_exact=False), "Kafka 3.5 or newer"),
        (versions(4, None), Release((0, 8), is_exact=False), "Kafka 0.8 or newer"),
        (struct.pack(">hi", 35, 0), Release((0, 8), is_exact=False), "Kafka 0.8 or newer"),
        (None, None, "None"),
        (versions(17, 27)[:-9], None, "None"),
        (versions(17, 0), Release((3, 9), is_exact=False), "Kafka 3.9 or newer"),
        (versions(-1, None), Release((0, 8), is_exact=False), "Kafka 0.8 or newer"),
    ],
)
def test_a_release_is_told_by_what_it_can_do(
    content: bytes | None, expected: Release | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No broker names it."""
    answering(content, monkeypatch)
    found = release(NOBODY, None)
    assert found == expected
    assert str(found) == shown


def quorum(error: int = 0, leader: int = 7) -> bytes:
    """How far the replicas of a controller's log are (DescribeQuorum, version 1)."""
    name = b"__cluster_metadata"
    milliseconds = int(MOMENT.timestamp() * 1000)
    voters = b"\x03"
    voters += struct.pack(">iqqqB", 6, 5, 1, 2, 0)
    voters += struct.pack(">iqqqB", 7, 5, milliseconds, milliseconds, 0)
    partition = b"\x02" + struct.pack(">ihiiq", 0, error, leader, 3, 9) + voters + b"\x01\x00"
    return b"\x00" + struct.pack(">h", 0) + b"\x02" + bytes([len(name) + 1]) + name + partition


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (quorum(), MOMENT),
        (quorum(error=3), None),
        (quorum(leader=8), None),
        (b"\x00" + struct.pack(">h", 31) + b"\x01\x00", None),
        (quorum()[:-40], None),
        (None, None),
    ],
)
def test_the_leader_says_what_time_it_is(
    content: bytes | None, expected: datetime | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only of itself does it say so."""
    answering(content, monkeypatch)
    assert controller_time(NOBODY, None) == expected


@given(content=st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_none(content: bytes) -> None:
    """Whoever listens there may say anything."""
    with pytest.MonkeyPatch.context() as patch:
        answering(content, patch)
        release(NOBODY, None)
        controller_time(NOBODY, None)
