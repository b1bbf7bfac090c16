"""The store keeps what was captured, asks frames late and once, and lets go of them."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformare.capture import Store, describe, lineage, node_id, store
from conformare.capture._content import MOST_AT_ONE_PLACE
from conformare.capture._lineage import Expectation, Origin


def test_frames_are_asked_for_their_columns_late_and_once(stub_frame: Any) -> None:
    frame, other = stub_frame(["a"]), stub_frame(["b"])
    store.add_step("select", [frame], other)
    assert (frame.looked_up, other.looked_up) == (0, 0)
    for _ in range(2):
        assert [node.columns for node in store.snapshot().nodes] == [("a",), ("b",)]
    assert (frame.looked_up, other.looked_up) == (1, 1)


def test_frames_are_let_go_of_after_the_look_up(stub_frame: Any) -> None:
    frame = stub_frame(["a"])
    store.add_source(frame, location="/a", format="csv", reader="r")
    alive = weakref.ref(frame)
    del frame
    assert alive() is not None
    store.resolve()
    gc.collect()
    assert alive() is None


def test_a_frame_that_cannot_be_asked_has_no_columns(
    swallowed_faults_fail: list[Exception], stub_frame: Any, request: pytest.FixtureRequest
) -> None:
    request.applymarker(pytest.mark.expects_guarded_fault)
    good, broken = stub_frame(["a"]), stub_frame()
    broken.names = None
    store.add_step("select", [broken], good)
    assert [node.columns for node in store.snapshot().nodes] == [(), ("a",)]
    assert [type(fault) for fault in swallowed_faults_fail] == [TypeError]


def test_a_step_that_returns_its_own_frame_is_none(stub_frame: Any) -> None:
    frame = stub_frame()
    store.add_source(frame, location="/a", format="csv", reader="r")
    assert store.add_step("hint", [frame], frame) is None
    assert [event.kind for event in lineage()] == ["source"]


def test_frames_are_named_after_their_place(stub_frame: Any) -> None:
    a, b, c, d, e, f = (stub_frame() for _ in range(6))
    store.add_step("filter", [a], b, receiver="flights")
    store.add_step("filter", [b], c)
    store.add_step("filter", [c], d, label="late")
    store.add_step("join", [d, e], f)
    assert [node.label for node in store.snapshot().nodes] == [
        "flights",
        "flights.c1",
        "flights.c2",
        "late",
        "<df5>",
        "late.c1",
    ]


def test_a_frame_seen_before_a_clear_is_new_after_it(stub_frame: Any) -> None:
    frame = stub_frame(["a"])
    store.add_source(frame, location="/a", format="csv", reader="r", label="a")
    store.clear()
    assert store.node_of(frame) is None
    store.add_step("filter", [frame], stub_frame(["a"]))
    assert [node.label for node in store.snapshot().nodes] == ["<df1>", "<df1>.c1"]


def test_what_a_source_learns_late_replaces_what_stood_in(stub_frame: Any) -> None:
    store.add_source(
        stub_frame(), location="?", format="table", reader="r", look_up=lambda: Origin("t", "delta")
    )
    assert [(s.location, s.format) for s in store.snapshot().sources] == [("t", "delta")]


def test_the_parts_of_a_store_can_be_listed(stub_frame: Any) -> None:
    own = Store()
    frame = stub_frame()
    own.add_source(frame, location="/a", format="csv", reader="r")
    own.add_sink(frame, location="/b", format="csv", writer="spark", label="b", op="csv")
    assert [source.location for source in own.sources] == ["/a"]
    assert [sink.location for sink in own.sinks] == ["/b"]
    assert [event.op for event in own.events] == ["r", "csv"]


def test_threads_may_capture_at_once(stub_frame: Any) -> None:
    def work(_: int) -> None:
        frame = stub_frame(["a"])
        for _ in range(50):
            child = stub_frame(["a"])
            store.add_step("filter", [frame], child)
            frame = child

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    content = store.snapshot()
    assert [event.number for event in content.events] == list(range(1, 401))
    assert [node.number for node in content.nodes] == list(range(1, 409))


PLACE = ("pipeline.py", "main", 1, 20)


def test_a_step_that_is_repeated_is_one(stub_frame: Any) -> None:
    raw = stub_frame(["a"])
    made = [stub_frame(["a"]) for _ in range(40)]
    for frame in made:
        store.add_step("filter", [raw], frame, logic={"args": ["x > 1"]}, place=PLACE)
        store.add_sink(
            frame, location="/o", format="csv", writer="w", label="o", op="csv", place=PLACE
        )
    assert [event.op for event in lineage()] == ["filter", "csv"]
    assert {node_id(frame) for frame in made} == {node_id(made[0])}


def test_what_differs_in_place_logic_blocks_or_parents_is_another_step(stub_frame: Any) -> None:
    raw, other = stub_frame(["a"]), stub_frame(["b"])
    store.add_step("filter", [raw], stub_frame(), logic={"args": ["x"]}, place=PLACE)
    store.add_step("filter", [raw], stub_frame(), logic={"args": ["y"]}, place=PLACE)
    store.add_step("filter", [raw], stub_frame(), logic={"args": ["x"]}, place=(*PLACE[:3], 30))
    store.add_step("filter", [other], stub_frame(), logic={"args": ["x"]}, place=PLACE)
    store.add_step("limit", [raw], stub_frame(), logic={"args": ["x"]}, place=PLACE)
    with describe("x"):
        store.add_step("filter", [raw], stub_frame(), logic={"args": ["x"]}, place=PLACE)
    assert len(lineage()) == 6


def test_a_sink_has_the_columns_of_all_frames_that_went_there(stub_frame: Any) -> None:
    raw = stub_frame(["a", "b"])
    for name in "ab":
        part = stub_frame([name])
        store.add_step("select", [raw], part, logic={"args": ["name"]}, place=PLACE)
        store.add_sink(
            part, location="/o", format="csv", writer="w", label="o", op="csv", place=PLACE
        )
    (sink,) = store.snapshot().sinks
    assert sink.columns == ("a", "b")


def test_a_step_that_feeds_itself_does_not_grow_the_store_without_bound(stub_frame: Any) -> None:
    frame = stub_frame(["a"])
    for _ in range(3 * MOST_AT_ONE_PLACE):
        child = stub_frame(["a"])
        store.add_step("filter", [frame], child, place=PLACE)
        frame = child
    content = store.snapshot()
    assert len(content.events) == MOST_AT_ONE_PLACE
    # The last one stands for all that followed; that it starts from itself is not said.
    assert content.events[-1].parents == (MOST_AT_ONE_PLACE,)
    assert node_id(frame) == content.events[-1].child


def test_frames_from_elsewhere_do_not_grow_the_store_without_bound(stub_frame: Any) -> None:
    for _ in range(2 * MOST_AT_ONE_PLACE):
        store.add_step("filter", [stub_frame(["a"])], stub_frame(["a"]), place=PLACE)
    assert len(store.snapshot().nodes) == 2 * MOST_AT_ONE_PLACE


def test_of_a_repeated_check_the_worst_result_stays(stub_frame: Any) -> None:
    node = store.node_for(stub_frame(["a"]))
    for success in (True, None, False, None, True):
        store.add_expectations(
            [Expectation(node, "e", "a", success, hard=False, severity="low")], "checker"
        )
    assert [result.success for result in store.snapshot().expectations] == [False]


def test_nodes_have_labels_and_columns(stub_frame: Any) -> None:
    raw, kept = stub_frame(["a"]), stub_frame(["a"])
    store.add_step("filter", [raw], kept, label="kept", receiver="raw", same_columns=True)
    number = node_id(kept)
    assert number is not None
    assert (store.label(number), store.cols) == ("kept", {1: ("a",), 2: ("a",)})
    assert node_id(stub_frame()) is None
    with pytest.raises(LookupError, match="no node 7"):
        store.label(7)


def test_targets_without_end_do_not_grow_the_store_without_bound(stub_frame: Any) -> None:
    raw = stub_frame(["a"])
    for number in range(MOST_AT_ONE_PLACE + 10):
        store.add_sink(
            raw, location=f"/o/{number}", format="csv", writer="w", label="o", op="csv", place=PLACE
        )
    assert len(store.sinks) == MOST_AT_ONE_PLACE
