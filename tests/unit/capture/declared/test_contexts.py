"""Blocks say what the steps inside have in common: per thread, per task, however code is run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from conformare.capture import (
    Risk,
    describe,
    describe_process,
    groups_registry,
    reset_context,
    risk,
    store,
)
from conformare.capture._scope import current_scope


def open_labels() -> list[str]:
    """Return the labels of the groups that are open here, outermost first."""
    return [group.label for group in current_scope().groups]


def open_risks() -> list[str]:
    """Return the ids of the risks that are open here, outermost first."""
    return [declared.risk_id for declared in current_scope().risks]


def test_blocks_nest_and_close() -> None:
    with describe("outer", risks="a"), risk("b"), describe("inner"):
        assert (open_labels(), open_risks()) == (["outer", "inner"], ["a", "b"])
    assert current_scope().blocks == ()


def test_an_exception_passes_and_closes_the_block() -> None:
    with pytest.raises(KeyError), describe("d"):
        raise KeyError
    assert open_labels() == []


def test_an_instance_is_one_group_however_often_it_is_entered() -> None:
    block = describe("d")
    for _ in range(3):
        with block, block:
            pass
    with describe("d"):
        pass
    assert [group["label"] for group in groups_registry().values()] == ["d", "d"]


@pytest.mark.parametrize(
    "risks",
    ["r", Risk("r", "c", "l"), ["r"], ("r",), risk("r"), [risk("r")], [Risk("r", "c", "l")]],
)
def test_risks_may_be_given_in_any_form(risks: Any) -> None:
    with describe("d", risks=risks):
        assert open_risks() == ["r"]


def test_a_risk_inside_describe_keeps_what_was_said_of_it() -> None:
    declared = risk("r", note="n", mitigation="m", owner="o", severity="low")
    assert describe("d", risks=declared).risks == declared.risks


def test_describe_needs_a_label() -> None:
    with pytest.raises(TypeError):
        describe()  # type: ignore[call-arg]  # the mistake


def test_threads_do_not_mix_their_blocks() -> None:
    barrier = threading.Barrier(2)
    seen: dict[str, list[str]] = {}

    def work(name: str) -> None:
        with describe(name):
            barrier.wait()
            seen[name] = open_labels()
            barrier.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": ["a"], "b": ["b"]}


def test_tasks_do_not_mix_their_blocks() -> None:
    seen: dict[str, list[str]] = {}

    async def work(name: str) -> None:
        with describe(name):
            await asyncio.sleep(0)
            seen[name] = open_labels()

    async def both() -> None:
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(both())
    assert seen == {"a": ["a"], "b": ["b"]}


def test_a_decorated_function_runs_inside() -> None:
    @describe("d")
    def function(number: int, *, more: int) -> tuple[int, list[str]]:
        """Say something."""
        return number + more, open_labels()

    assert function(1, more=2) == (3, ["d"])
    assert (function.__name__, function.__doc__) == ("function", "Say something.")
    assert open_labels() == []


def test_a_decorated_coroutine_runs_inside() -> None:
    @describe("d")
    async def function() -> list[str]:
        await asyncio.sleep(0)
        return open_labels()

    assert asyncio.run(function()) == ["d"]


def test_a_decorated_generator_runs_inside_and_its_consumer_outside() -> None:
    closed: list[list[str]] = []

    @describe("d")
    def function() -> Iterator[list[str]]:
        try:
            received = yield open_labels()
            assert received is None
            yield open_labels()
        finally:
            closed.append(open_labels())

    generator = function()
    assert next(generator) == ["d"]
    assert open_labels() == []
    assert next(generator) == ["d"]
    generator.close()  # type: ignore[attr-defined]  # annotated as an iterator
    assert closed == [["d"]]


def test_a_decorated_generator_takes_what_is_sent_and_thrown_and_returns() -> None:
    @describe("d")
    def function() -> Any:
        try:
            sent = yield 1
        except KeyError:
            return "thrown"
        return sent

    sending, throwing = function(), function()
    next(sending)
    next(throwing)
    with pytest.raises(StopIteration) as sent:
        sending.send("sent")
    with pytest.raises(StopIteration) as thrown:
        throwing.throw(KeyError())
    assert (sent.value.value, thrown.value.value) == ("sent", "thrown")


def test_blocks_may_end_in_another_order_than_they_began() -> None:
    first, second = describe("first"), describe("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert open_labels() == ["second"]
    second.__exit__(None, None, None)
    assert open_labels() == []


def test_a_docstring_fills_what_was_not_given() -> None:
    @describe("d", purpose="given")
    def function() -> None:
        """Join the tables.

        In two lines.

        Conformare:
            Purpose: not taken
            Owner: dora
            Risk: privacy.gdpr | note here | mitigation: masked | owner: joe | severity: low
            Risk: second
            Nonsense
        """

    function()
    (group,) = store.groups
    assert (group.purpose, group.definition_owner) == ("given", "dora")
    assert group.details == "Join the tables.\n\nIn two lines."
    first, second = describe("x", risks=["a", "b"]).risks, store.snapshot().risks
    assert len(first) == 2
    assert [(r.risk_id, r.note, r.mitigation, r.owner, r.severity) for r in second] == [
        ("privacy.gdpr", "note here", "masked", "joe", "low"),
        ("second", None, None, None, "medium"),
    ]


def test_notes_on_the_process_stay_until_said_otherwise() -> None:
    describe_process("nightly", risks=["a", risk("b", owner="o")])
    describe_process(description="daily")
    store.clear()
    assert store.process_description == "daily"
    assert [declared.risk_id for declared in store.process_risks] == ["a", "b"]
    describe_process(risks=[])
    assert store.process_risks == ()


def test_reset_forgets_blocks_contexts_risks_and_notes() -> None:
    describe_process("nightly", risks="a")
    with describe("d", risks="r"):
        reset_context()
        assert open_labels() == []
    assert groups_registry() == {}
    assert (store.process_description, store.process_risks) == (None, ())
    assert store.snapshot().risks == ()


def test_a_block_open_over_a_clear_is_known_again_at_its_next_step(stub_frame: Any) -> None:
    with describe("d", risks="r"):
        store.clear()
        assert groups_registry() == {}
        store.add_step("filter", [stub_frame()], stub_frame())
    assert [group["label"] for group in groups_registry().values()] == ["d"]
    assert [declared.risk_id for declared in store.snapshot().risks] == ["r"]


def test_an_asynchronous_generator_runs_inside_its_block(stub_frame: Any) -> None:
    @describe("stream")
    async def frames() -> AsyncGenerator[int, None]:
        for number in range(2):
            store.add_step("filter", [stub_frame()], stub_frame())
            yield number

    async def consume() -> list[int]:
        found = []
        async for number in frames():
            store.add_step("limit", [stub_frame()], stub_frame())
            found.append(number)
        return found

    assert asyncio.run(consume()) == [0, 1]
    labels = [(event.op, event.group.label if event.group else None) for event in store.events]
    assert labels == [("filter", "stream"), ("limit", None)] * 2
