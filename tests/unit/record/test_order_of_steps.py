"""impl_hash notices the order of steps that depend on each other, and nothing of repetition."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformare.capture import describe, store
from conformare.record import to_run_record

LOGIC = st.integers(0, 5)


def chain(stub_frame: Any, *steps: int, start: Any = None) -> Any:
    """Make one frame out of another, step by step."""
    frame = start or stub_frame(["a"])
    for step in steps:
        child = stub_frame(["a"])
        store.add_step("filter", [frame], child, logic={"args": [f"x > {step}"]})
        frame = child
    return frame


def hash_of_last_context() -> str:
    """Return the fingerprint of the context that was entered last."""
    fingerprint: str = to_run_record(store, "p", run_id="r", ts="2026-01-01")["contexts"][-1][
        "impl_hash"
    ]
    return fingerprint


def fingerprint(stub_frame: Any, *chains: list[int]) -> str:
    """Return the hash of a context of independent chains, in a store of its own."""
    store.clear()
    with describe("c"):
        for steps in chains:
            chain(stub_frame, *steps)
    return hash_of_last_context()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=LOGIC, second=LOGIC)
def test_dependent_steps_cannot_be_swapped(stub_frame: Any, first: int, second: int) -> None:
    there = fingerprint(stub_frame, [first, second])
    back = fingerprint(stub_frame, [second, first])
    assert (there == back) == (first == second)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(LOGIC, min_size=1, max_size=4), min_size=1, max_size=4), st.randoms())
def test_independent_chains_can_be_in_any_order(
    stub_frame: Any, chains: list[list[int]], random: Any
) -> None:
    before = fingerprint(stub_frame, *chains)
    shuffled = random.sample(chains, len(chains))
    assert fingerprint(stub_frame, *shuffled) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LOGIC, min_size=1, max_size=4))
def test_a_loop_of_4_is_a_loop_of_40(stub_frame: Any, body: list[int]) -> None:
    assert fingerprint(stub_frame, body * 4) == fingerprint(stub_frame, body * 40)
    assert fingerprint(stub_frame, *[body] * 4) == fingerprint(stub_frame, *[body] * 40)


def test_which_side_of_a_join_counts(stub_frame: Any) -> None:
    hashes = set()
    for swapped in (False, True):
        with describe("c"):
            raw = stub_frame(["a"])
            one, two = chain(stub_frame, 1, start=raw), chain(stub_frame, 2, start=raw)
            sides = [two, one] if swapped else [one, two]
            store.add_step("join", sides, stub_frame(["a"]), logic={"args": ["_frame_"]})
        hashes.add(hash_of_last_context())
    assert len(hashes) == 2


def test_what_comes_from_another_context_does_not_count(stub_frame: Any) -> None:
    hashes = []
    for outside in (1, 2):
        with describe("before"):
            made = chain(stub_frame, outside)
        with describe("c"):
            chain(stub_frame, 3, start=made)
        hashes.append(hash_of_last_context())
    assert hashes[0] == hashes[1]


def test_a_loop_of_2_that_adds_up_is_one_of_40(stub_frame: Any) -> None:
    hashes = set()
    for repetitions in (2, 3, 4, 40):
        store.clear()
        with describe("c"):
            raw, total = stub_frame(["a"]), None
            for _ in range(repetitions):
                part = stub_frame(["a"])
                store.add_step("filter", [raw], part, place=("f", "g", 1, 2))
                if total is None:
                    total = part
                    continue
                longer = stub_frame(["a"])
                store.add_step("union", [total, part], longer, place=("f", "g", 1, 4))
                total = longer
        hashes.add(hash_of_last_context())
    assert len(hashes) == 1
