"""Identities are UUIDs of version 7 that grow, whatever the clock does."""

from __future__ import annotations

import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare import _identity


def test_an_identity_is_a_uuid_of_version_7_of_now() -> None:
    before = time.time_ns() // 1_000_000
    identity = uuid.UUID(_identity.new_run_id())
    after = time.time_ns() // 1_000_000
    assert (identity.version, identity.variant) == (7, uuid.RFC_4122)
    # Identities made in a burst may run ahead of the clock by a little.
    assert before <= identity.int >> 80 <= after + 1_000


@given(st.lists(st.integers(min_value=0, max_value=2**60), min_size=2, max_size=50))
def test_identities_grow_though_the_clock_stands_still_or_goes_back(clock: list[int]) -> None:
    readings = iter(clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_identity, "_last", 0)
        patch.setattr(time, "time_ns", lambda: next(readings))
        made = [_identity.uuid7() for _ in clock]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {identity.version for identity in made} == {7}


def test_identities_of_many_threads_differ() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: _identity.new_emission_id(), range(4_000)))
    assert len(set(made)) == len(made)


def test_the_bits_lie_where_rfc_9562_puts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # The example of RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F.
    fraction_in_nanoseconds = 0xCC3 * 1_000_000 // 4_096 + 1
    monkeypatch.setattr(_identity, "_last", 0)
    monkeypatch.setattr(
        time, "time_ns", lambda: 0x017F22E279B0 * 1_000_000 + fraction_in_nanoseconds
    )
    monkeypatch.setattr(secrets, "randbits", lambda _: 0x18C4DC0C0C07398F)
    assert str(_identity.uuid7()) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
