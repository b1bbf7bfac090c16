"""Emissions are counted once, however many batches their messages come in."""

from __future__ import annotations

from conformare_sink.messages.emission import Decision, EmissionKey
from conformare_sink.stream.replay import Tally


def test_every_emission_is_counted_once() -> None:
    """As what became of it first, but for waiting."""
    a, b, c = (EmissionKey("p", "r", name) for name in "abc")
    tally = Tally()
    tally.add({a: Decision.WAIT, b: Decision.REPEAT, c: Decision.PURGED})
    assert tally.counts == {Decision.REPEAT: 1, Decision.PURGED: 1}
    tally.add({a: Decision.LAND, b: Decision.REPEAT, c: Decision.PURGED})
    tally.add({a: Decision.REPEAT, b: Decision.WAIT})
    assert tally.counts == {Decision.LAND: 1, Decision.REPEAT: 1, Decision.PURGED: 1}


def test_emissions_of_other_names_are_others() -> None:
    """Wherever the borders between their names are."""
    names = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("c", "b", "a"), ("1:a", "b", "c")]
    keys = [EmissionKey(*parts) for parts in names]
    tally = Tally()
    tally.add(dict.fromkeys(keys, Decision.LAND))
    assert tally.counts == {Decision.LAND: len(keys)}
