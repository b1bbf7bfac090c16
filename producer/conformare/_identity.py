"""Time-ordered identities: UUID version 7 (RFC 9562) for runs and emissions."""

from __future__ import annotations

import secrets
import time
import uuid

from conformare._process_lock import ProcessLock

_VERSION = 0x7
_VARIANT = 0b10
_FRACTION_BITS = 12
_RANDOM_BITS = 62
_NANOSECONDS_PER_MILLISECOND = 1_000_000

_lock = ProcessLock()
_last = 0


def _next_instant() -> int:
    """Return milliseconds and a 12-bit fraction of one, larger than any returned before."""
    global _last  # noqa: PLW0603 - the one instant that all threads of the process advance
    milliseconds, nanoseconds = divmod(time.time_ns(), _NANOSECONDS_PER_MILLISECOND)
    fraction = (nanoseconds << _FRACTION_BITS) // _NANOSECONDS_PER_MILLISECOND
    with _lock:
        # A clock that stands still or is set back must not break the order.
        _last = max((milliseconds << _FRACTION_BITS) | fraction, _last + 1)
        return _last


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7, larger than every other that this process has made.

    The random part comes from the operating system at each call, so that processes forked from
    one another never make the same one.
    """
    milliseconds, fraction = divmod(_next_instant(), 1 << _FRACTION_BITS)
    value = milliseconds << 80 | _VERSION << 76 | fraction << 64
    return uuid.UUID(int=value | _VARIANT << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))


def new_run_id() -> str:
    """Return the identity of a run that the caller did not name."""
    return str(uuid7())


def new_emission_id() -> str:
    """Return the identity of one `record_run` call."""
    return str(uuid7())
