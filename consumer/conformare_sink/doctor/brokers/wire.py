"""Two requests of Kafka's protocol for which its clients have no call: what a broker is, what time it is.

Each opens a connection of its own and tells nobody who asks. A listener with passwords answers the
first of them before the login, and the second not at all.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timezone
from ssl import SSLContext

from conformare_sink.kafka.listener import Address, exchange

_API_VERSIONS, _FETCH, _DESCRIBE_QUORUM = 18, 1, 55
_UNSUPPORTED_VERSION = 35
_QUORUM_TOPIC = b"__cluster_metadata"
_FEATURE = "metadata.version"
_NO_TAGS = b"\0"
_MOST_ITEMS = 10_000

_BY_FEATURE = (
    (28, "4.2"),
    (26, "4.1"),
    (22, "4.0"),
    (21, "3.9"),
    (20, "3.8"),
    (15, "3.7"),
    (12, "3.6"),
    (9, "3.5"),
    (8, "3.4"),
    (4, "3.3"),
    (3, "3.2"),
    (2, "3.1"),
    (1, "3.0"),
)
"""The least level of `metadata.version` that a release without ZooKeeper supports."""
_BY_FETCH = (
    (17, "3.9"),
    (16, "3.7"),
    (15, "3.5"),
    (13, "3.1"),
    (12, "2.7"),
    (11, "2.3"),
    (0, "0.8"),
)
"""The least version of the request to fetch that a release has, for one with ZooKeeper."""


@dataclass(frozen=True)
class Release:
    """Which release of Kafka answers; no broker names it, so it is told by what it can do.

    Attributes:
        oldest: The oldest that it can be, such as (4, 1).
        is_exact: Whether it is of that line; a later one otherwise.
    """

    oldest: tuple[int, int]
    is_exact: bool

    def __str__(self) -> str:
        """Return it for a person."""
        return f"Kafka {'.'.join(map(str, self.oldest))}{'' if self.is_exact else ' or newer'}"


def release(address: Address, context: SSLContext | None) -> Release | None:
    """Return which release a broker is; None where it does not tell.

    Args:
        address: Where it listens.
        context: How to speak TLS; None to speak without.

    Raises:
        OSError: Nobody answers.
    """
    # Names and versions of this client: brokers count who comes.
    body = _text(b"conformare") + _text(b"1") + _NO_TAGS
    answer = exchange(address, context, _API_VERSIONS, 3, _NO_TAGS + body)
    if answer is None:
        return None
    try:
        return _release(_Reader(answer))
    except (struct.error, UnicodeDecodeError, OverflowError):
        return None


def _release(reader: _Reader) -> Release | None:
    (error,) = reader.numbers(">h")
    if error == _UNSUPPORTED_VERSION:
        return Release((0, 8), is_exact=False)
    highest = {}
    for _ in range(reader.length()):
        key, _, most = reader.numbers(">hhh")
        highest[key] = most
        reader.skip_tags()
    reader.numbers(">i")
    features = {}
    for tag, content in reader.tags():
        if tag == 0:
            features = _features(_Reader(content))
    level = features.get(_FEATURE, 0)
    if level > 0:
        newest = level > _BY_FEATURE[0][0] + 1
        return Release(_least(level, _BY_FEATURE), is_exact=not newest)
    return Release(_least(max(0, highest.get(_FETCH, 0)), _BY_FETCH), is_exact=False)


def _features(reader: _Reader) -> dict[str, int]:
    found = {}
    for _ in range(reader.length()):
        name = reader.text()
        _, most = reader.numbers(">hh")
        found[name] = most
        reader.skip_tags()
    return found


def _least(number: int, table: tuple[tuple[int, str], ...]) -> tuple[int, int]:
    told = next(release for least, release in table if number >= least)
    major, minor = map(int, told.split("."))
    return major, minor


def controller_time(address: Address, context: SSLContext | None) -> datetime | None:
    """Return what the clock of the cluster's controller shows; None where nobody tells.

    It is what it says of itself where it is asked how far the replicas of its log are. That takes
    the right to Describe the cluster, Kafka 3.3, and a listener without passwords.

    Args:
        address: Where a broker listens.
        context: How to speak TLS; None to speak without.

    Raises:
        OSError: Nobody answers.
    """
    partition = struct.pack(">i", 0) + _NO_TAGS
    topic = _text(_QUORUM_TOPIC) + b"\x02" + partition + _NO_TAGS
    answer = exchange(address, context, _DESCRIBE_QUORUM, 1, _NO_TAGS + b"\x02" + topic + _NO_TAGS)
    if answer is None:
        return None
    try:
        return _leaders_time(_Reader(answer))
    except (struct.error, UnicodeDecodeError, OverflowError, OSError, ValueError):
        return None


def _leaders_time(reader: _Reader) -> datetime | None:
    reader.skip_tags()  # of the header
    (error,) = reader.numbers(">h")
    if error or not reader.length():
        return None
    reader.text()
    if not reader.length():
        return None
    _, error, leader, _, _ = reader.numbers(">ihiiq")
    if error:
        return None
    for _ in range(reader.length()):
        replica, _, _, caught_up = reader.numbers(">iqqq")
        reader.skip_tags()
        if replica == leader and caught_up > 0:
            return datetime.fromtimestamp(caught_up / 1000, timezone.utc)
    return None


def _text(content: bytes) -> bytes:
    return bytes([len(content) + 1]) + content


class _Reader:
    """Reads what a broker has answered; raises struct.error where it ends too early."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def numbers(self, form: str) -> tuple[int, ...]:
        """Return numbers of a fixed size."""
        found = struct.unpack_from(form, self._content, self._at)
        self._at += struct.calcsize(form)
        return found

    def length(self) -> int:
        """Return how many items a list has."""
        found = max(0, self._varint() - 1)
        if found > _MOST_ITEMS:
            raise OverflowError
        return found

    def text(self) -> str:
        """Return a text."""
        return self._bytes(max(0, self._varint() - 1)).decode("utf-8")

    def tags(self) -> list[tuple[int, bytes]]:
        """Return the optional fields at the end of a structure."""
        found = []
        for _ in range(min(self._varint(), _MOST_ITEMS)):
            tag = self._varint()
            found.append((tag, self._bytes(self._varint())))
        return found

    def skip_tags(self) -> None:
        """Pass over optional fields."""
        self.tags()

    def _varint(self) -> int:
        found, shift = 0, 0
        while True:
            (part,) = self.numbers(">B")
            found |= (part & 0x7F) << shift
            shift += 7
            if part < 0x80 or shift > 35:  # noqa: PLR2004 - as the format is
                return found

    def _bytes(self, size: int) -> bytes:
        (found,) = struct.unpack_from(f">{size}s", self._content, self._at)
        self._at += size
        return bytes(found)
