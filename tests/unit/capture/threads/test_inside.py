"""What is begun inside a block belongs to it, in whichever thread it runs, and nothing else does."""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest
from support.jobs.threads import (
    NOTHING,
    WAYS,
    Run,
    Worker,
    by_thread,
    open_here,
)

from conformare.capture import describe, greatExpectations, profile, risk
from conformare.capture._scope import close_all


@pytest.mark.parametrize("way", WAYS)
def test_what_is_begun_inside_blocks_is_inside_them(way: str) -> None:
    run = WAYS[way]
    with describe("c", risks="a"), risk("b"), profile(greatExpectations()):
        assert run(open_here) == (["c"], ["a", "b"], 1)
    assert run(open_here) == NOTHING


@pytest.mark.parametrize("way", WAYS)
def test_what_is_begun_inside_a_thread_is_inside_as_well(way: str) -> None:
    run = WAYS[way]

    def work() -> Any:
        with describe("inner"):
            return run(open_here)

    with describe("outer"):
        assert run(work) == (["outer", "inner"], [], 0)


@pytest.mark.parametrize("way", WAYS)
def test_an_exception_is_the_same_one(way: str) -> None:
    fault = KeyError("k")

    def work() -> Any:
        raise fault

    def outcome() -> Any:
        try:
            return WAYS[way](work)
        except (KeyError, IndexError) as seen:
            return seen

    with pytest.MonkeyPatch.context() as patch:
        raised: list[Any] = []
        patch.setattr(threading, "excepthook", lambda told: raised.append(told.exc_value))
        with describe("c"):
            inside = outcome()
    assert inside is fault or raised == [fault]


def with_callback(work: Callable[[], Any], *, failing: bool, by_position: bool) -> Any:
    """Do work in what a pool calls when a task is done."""
    done: list[Any] = []

    def task() -> None:
        if failing:
            raise KeyError

    def callback(_: Any) -> None:
        done.append(work())

    with ThreadPool(1) as pool:
        if by_position:
            pool.apply_async(task, (), {}, callback, callback).wait()
        else:
            pool.apply_async(task, callback=callback, error_callback=callback).wait()
        pool.close()
        pool.join()
    return done[0]


def with_done_callback(work: Callable[[], Any]) -> Any:
    """Do work in what a future calls when it is done."""
    done: list[Any] = []
    go = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(go.wait)
        future.add_done_callback(lambda _: done.append(work()))
        go.set()
    return done[0]


def by_drawing(work: Callable[[], Any]) -> Any:
    """Do work in what a pool draws from."""

    def items() -> Iterator[Any]:
        yield work()
        yield work()

    with ThreadPool(1) as pool:
        first, second = pool.imap(lambda item: item, items())
        assert first == second
        return next(iter(pool.imap_unordered(func=lambda item: item, iterable=items())))


WAYS_BACK: dict[str, Run] = {
    "callback": functools.partial(with_callback, failing=False, by_position=False),
    "error callback": functools.partial(with_callback, failing=True, by_position=False),
    "callback by position": functools.partial(with_callback, failing=False, by_position=True),
    "error callback by position": functools.partial(with_callback, failing=True, by_position=True),
    "done callback": with_done_callback,
    "iterable": by_drawing,
}


@pytest.mark.parametrize("way", WAYS_BACK)
def test_what_a_pool_calls_back_is_inside(way: str) -> None:
    run = WAYS_BACK[way]
    with describe("c"), risk("b"):
        assert run(open_here) == (["c"], ["b"], 0)
    assert run(open_here) == NOTHING


def test_an_iterable_that_fails_fails_as_it_did() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("k")

    def outcome(iterable: Any) -> Any:
        with ThreadPool(1) as pool:
            try:
                return list(pool.imap(str, iterable))
            except (KeyError, TypeError) as fault:
                return type(fault), fault.args

    def several() -> list[Any]:
        return [items(), 1, [], iter("a")]

    outside = list(map(outcome, several()))
    with describe("c"):
        assert list(map(outcome, several())) == outside


def test_a_pool_serves_whoever_comes() -> None:
    before = ThreadPoolExecutor(1), ThreadPool(1)
    with describe("a"):
        made = ThreadPoolExecutor(1), ThreadPool(1)
        for executor, pool in (before, made):
            assert executor.submit(open_here).result() == (["a"], [], 0)
            assert pool.apply(open_here) == (["a"], [], 0)
    for executor, pool in (before, made):
        assert executor.submit(open_here).result() == NOTHING
        assert pool.apply(open_here) == NOTHING
        with describe("b"), risk("r"):
            assert executor.submit(open_here).result() == (["b"], ["r"], 0)
            assert pool.map(lambda _: open_here(), [0]) == [(["b"], ["r"], 0)]
        assert executor.submit(open_here).result() == NOTHING
        executor.shutdown()
        pool.terminate()


def test_a_task_that_fails_leaves_nothing_open() -> None:
    with ThreadPoolExecutor(1) as executor:
        with describe("a"), pytest.raises(ZeroDivisionError):
            executor.submit(lambda: 1 / 0).result()
        assert executor.submit(open_here).result() == NOTHING


def test_a_task_that_leaves_a_block_open_leaves_nothing_to_the_next() -> None:
    with ThreadPoolExecutor(1) as executor, describe("a"):
        executor.submit(lambda: describe("left").__enter__()).result()
        assert executor.submit(open_here).result() == (["a"], [], 0)


def test_a_thread_goes_on_inside_a_block_that_has_ended() -> None:
    ended, seen = threading.Event(), []

    def work() -> None:
        assert ended.wait(10)
        with describe("inner"):
            seen.append(open_here())
        seen.append(open_here())

    with describe("outer"):
        thread = threading.Thread(target=work)
        thread.start()
    assert open_here() == NOTHING
    ended.set()
    thread.join()
    assert seen == [(["outer", "inner"], [], 0), (["outer"], [], 0)]


def test_a_timer_belongs_to_where_it_was_started() -> None:
    seen: list[Any] = []
    with describe("made"):
        timer = threading.Timer(0, lambda: seen.append(open_here()))
    with describe("started"):
        timer.start()
    timer.join()
    assert seen == [(["started"], [], 0)]


def test_two_runs_at_once_share_a_pool_and_no_context() -> None:
    met = threading.Barrier(2, timeout=10)
    seen: dict[str, list[Any]] = {"a": [], "b": []}
    with ThreadPoolExecutor(2) as pool:

        def run(name: str) -> None:
            with describe(name), risk(name):
                for _ in range(5):
                    met.wait()
                    futures = [pool.submit(open_here) for _ in range(4)]
                    seen[name] += [future.result() for future in futures]

        threads = [threading.Thread(target=run, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == {name: [([name], [name], 0)] * 20 for name in "ab"}


def test_what_a_thread_opens_is_not_open_where_it_was_started() -> None:
    with describe("a"):
        by_thread(Worker)(lambda: describe("b").__enter__())
        assert open_here() == (["a"], [], 0)
        by_thread(Worker)(close_all)
        assert open_here() == (["a"], [], 0)


@pytest.mark.parametrize(
    ("name", "is_service"),
    [
        ("py4j.java_gateway", True),
        ("pyspark.sql.connect.streaming.query", True),
        ("grpc._channel", True),
        ("conformare.emission._courier", True),
        ("pyspark.util", False),
        ("pysparkling", False),
    ],
)
def test_a_service_of_the_process_belongs_to_no_block(name: str, is_service: bool) -> None:
    started: list[Any] = []
    module = types.ModuleType(name)
    program = (
        "import threading\ndef serve(work): t = threading.Thread(target=work); t.start(); t.join()"
    )
    exec(program, module.__dict__)  # noqa: S102 - a module of py4j that starts a thread
    with describe("a"):
        module.serve(lambda: started.extend((open_here(), by_thread(Worker)(open_here))))
    assert started == [NOTHING if is_service else (["a"], [], 0)] * 2
