"""What is wanted of a registry is bounded, and nobody waits for it."""

from __future__ import annotations

import time

from support.servers.registry import silent_server

from conformare_schemas import message_header
from conformare_schemas.registry import RegistryAccess
from conformare_sink.messages.framing import FOREIGN
from conformare_sink.registry.resolver import MOST_WANTED, Resolver, asking

NOWHERE = RegistryAccess.of("http://127.0.0.1:1", {})


def test_a_silent_registry_holds_up_nobody() -> None:
    """Not those who want ids, not those who end."""
    with silent_server() as url:
        began = time.monotonic()
        with asking(RegistryAccess.of(url, {}), "x.") as resolver:
            assert resolver is not None
            resolver.want([1, 2, 3])
            assert resolver.known() == {}
            assert resolver.take_news() == set()
            resolver.settle(0.05)
        assert time.monotonic() - began < 2


def test_without_a_registry_nothing_is_asked() -> None:
    """And nobody has to look whether there is one."""
    with asking(None, "x.") as resolver:
        assert resolver is None


def test_news_are_ids_that_somebody_wanted_each_once() -> None:
    """Also one that became known before it was wanted: its message is in quarantine by now."""
    resolver = Resolver(NOWHERE, "x.")
    resolver.want([7])
    resolver._learn({7: message_header("runs"), 8: FOREIGN})
    assert resolver.take_news() == {7}
    assert resolver.take_news() == set()
    resolver.want([7, 8])
    assert resolver.take_news() == {7, 8}
    assert resolver.known() == {7: message_header("runs"), 8: FOREIGN}


def test_a_flood_of_ids_takes_bounded_room_and_drops_what_is_least_likely() -> None:
    """Those that the registry did not know go first, and are looked for again when there is room."""
    resolver = Resolver(NOWHERE, "x.")
    resolver.want([5])
    resolver._wanted[5].refusals = 3
    resolver.want([2**31, 2**32 - 1])  # no registry has such
    assert set(resolver._wanted) == {5}
    resolver.want(range(10, 10 + MOST_WANTED))
    assert len(resolver._wanted) == MOST_WANTED
    assert 5 not in resolver._wanted
    assert not resolver.take_dropped()
    resolver._learn({10: FOREIGN})
    assert resolver.take_dropped()
    assert not resolver.take_dropped()
