"""The store keeps what was captured, asks frames late and once, and lets go of them."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformare.capture import Store, lineage, store


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
        stub_frame(), location="?", format="table", reader="r", origin=lambda: ("t", "delta")
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
