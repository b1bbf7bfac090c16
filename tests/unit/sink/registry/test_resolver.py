"""What is wanted of a registry is bounded, and nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from support.servers.answers import answering, told, unknown
from support.servers.registry import silent_server, wait_for

from conformare_schemas import message_header
from conformare_schemas.registry import RegistryAccess
from conformare_sink.messages.framing import FOREIGN
from conformare_sink.registry import resolver as resolver_module
from conformare_sink.registry.resolver import MOST_WANTED, Resolver, asking

PATIENCE_SECONDS = 10
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
    """Those that the registry did not know go first, and have their turn when it knows no other."""
    resolver = Resolver(NOWHERE, "x.")
    resolver.want([5])
    resolver._wanted[5].refusals = 3
    resolver.want([2**31, 2**32 - 1])  # no registry has such
    assert set(resolver._wanted) == {5}
    resolver.want(range(10, 10 + MOST_WANTED))
    assert len(resolver._wanted) == MOST_WANTED
    assert 5 not in resolver._wanted
    assert not resolver.take_dropped()
    first, *others = resolver._wanted.values()
    for wanted in others:
        wanted.refuse()
    assert not resolver.take_dropped()
    first.put_off()  # by an answer that tells nothing
    assert resolver.take_dropped()
    resolver.want([5])
    assert 5 in resolver._wanted
    assert not resolver.take_dropped()  # not so soon


def test_an_id_that_the_registry_answers_badly_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody may write any id to a topic."""
    monkeypatch.setattr(resolver_module, "FIRST_PAUSE_SECONDS", 0.01)

    def says(path: str) -> Iterable[bytes]:
        if path.endswith("/versions"):
            return unknown(40401)
        return told(b"<html>", 500) if path.endswith("/1") else told({"schema": '"string"'})

    with (
        answering(says) as server,
        asking(RegistryAccess.of(server.url, {}), "x.") as resolver,
    ):
        assert resolver is not None
        resolver.want([1])
        resolver.want([2, 3])
        wait_for(lambda: resolver.known() == {2: FOREIGN, 3: FOREIGN}, PATIENCE_SECONDS)
        assert server.asked.count("/schemas/ids/1") <= 2


@pytest.mark.parametrize(
    "answer", [told(b"garbage"), told(["no", "numbers"]), told([1]), told(b"", 403)]
)
def test_ids_are_asked_for_whatever_becomes_of_our_subjects(
    answer: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those are a head start alone, and somebody else may have spoilt one."""
    monkeypatch.setattr(resolver_module, "FIRST_PAUSE_SECONDS", 0.01)

    def says(path: str) -> Iterable[bytes]:
        return told({"schema": '"string"'}) if "/ids/" in path else answer

    with (
        answering(says) as server,
        asking(RegistryAccess.of(server.url, {}), "x.") as resolver,
    ):
        assert resolver is not None
        resolver.want([7])
        wait_for(lambda: resolver.known() == {7: FOREIGN}, PATIENCE_SECONDS)


def test_whoever_has_patience_has_answers_at_once() -> None:
    """Such as a replay, which cannot come back to what it put into quarantine."""

    def says(path: str) -> Iterable[bytes]:
        return told({"schema": '"string"'}) if path.endswith("/7") else unknown()

    with (
        answering(says) as server,
        asking(RegistryAccess.of(server.url, {}), "x.", PATIENCE_SECONDS) as resolver,
    ):
        assert resolver is not None
        assert resolver.want([6, 7])
        assert resolver.known() == {7: FOREIGN}
        assert not resolver.want([6, 2**31])
        assert resolver._patience > 0


def test_patience_ends_once_for_all() -> None:
    """Whatever number of batches a replay has."""
    with (
        silent_server() as url,
        asking(RegistryAccess.of(url, {}), "x.", 0.05) as resolver,
    ):
        assert resolver is not None
        assert resolver._patience == 0
        began = time.monotonic()
        for number in range(100):
            assert not resolver.want([number])
        assert time.monotonic() - began < 2
