"""When two locations are one place, however it was written."""

from __future__ import annotations

import re

from conformare.capture.locations import BETWEEN, SAME_STORE

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(//)?([^/]*)(.*)", re.IGNORECASE | re.DOTALL)


def place_of(location: str) -> str:
    """Return a location so that two spellings of one place are equal.

    Spark takes names of tables in any case. Paths differ by case; schemes and hosts do not.

    Example:
        >>> place_of("s3a://Bucket/raw/orders/") == place_of("s3://bucket/raw/orders")
        True

    Args:
        location: As a record has it.
    """
    plain = location.strip().rstrip("/\\") or location.strip()
    found = _SCHEME.fullmatch(plain)
    if found is None:
        return plain if "/" in plain or "\\" in plain else plain.replace("`", "").lower()
    scheme = found[1].lower()
    if scheme == "file":
        return f"{found[3]}{found[4]}" if not found[2] else found[4] or "/"
    if not found[3] and found[4].startswith("/"):  # of the default host: hdfs:/x is hdfs:///x
        return f"{SAME_STORE.get(scheme, scheme)}://{found[4]}"
    if not found[2]:  # such as jdbc:postgresql://host/db
        return f"{scheme}:{found[3]}{found[4]}"
    return f"{SAME_STORE.get(scheme, scheme)}://{found[3].lower()}{found[4]}"


def read_at(location: str) -> list[str]:
    """Return the locations that a source names: one read may be of several paths or tables.

    Args:
        location: Of a row of `sources`.
    """
    return location.split(BETWEEN)
