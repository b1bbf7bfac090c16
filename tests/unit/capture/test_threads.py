"""What is begun inside a block belongs to it, in whichever thread it runs, and nothing else does."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import multiprocessing
import multiprocessing.dummy
import pickle
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

from conformare.capture import describe, greatExpectations, profile, risk
from conformare.capture._inherited import Carried, what_is_open
from conformare.capture._threads import follow_threads, leave_threads
from conformare.capture.checks._profiles import _blocks
from conformare.capture.declared._scope import close_all, current_scope

Run = Callable[[Callable[[], Any]], Any]


@pytest.fixture(autouse=True)
def following() -> Iterator[None]:
    """Threads are followed, as they are while Spark is tracked."""
    follow_threads()
    yield
    leave_threads()


def open_here() -> tuple[list[str], list[str], int]:
    """Return the contexts, the risks and the number of profiled blocks that are open here."""
    scope = current_scope()
    labels = [group.label for group in scope.groups]
    return labels, [declared.risk_id for declared in scope.risks], len(_blocks.get())


NOTHING: tuple[list[str], list[str], int] = ([], [], 0)


class Worker(threading.Thread):
    """A thread with a `run` of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self.work = work

    def run(self) -> None:
        """Do the work."""
        self.work()


class Starter(Worker):
    """A thread with a `start` of its own as well."""

    def start(self) -> None:
        """Start."""
        super().start()


def by_thread(make: Callable[[Callable[[], Any]], threading.Thread]) -> Run:
    """Return how work is done by a thread."""

    def run(work: Callable[[], Any]) -> Any:
        done: list[Any] = []
        thread = make(lambda: done.append(work()))
        thread.start()
        thread.join()
        return done[0]

    return run


def by_pool(call: Callable[[ThreadPool, Callable[..., Any]], Any]) -> Run:
    """Return how work is done by a pool of threads."""

    def run(work: Callable[[], Any]) -> Any:
        with ThreadPool(1) as pool:
            return call(pool, lambda *_: work())

    return run


def by_executor(call: Callable[[ThreadPoolExecutor, Callable[..., Any]], Any]) -> Run:
    """Return how work is done by an executor."""

    def run(work: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return call(pool, lambda *_: work())

    return run


def by_loop(work: Callable[[], Any]) -> Any:
    """Do work in the threads of asyncio's loop."""

    async def main() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    return asyncio.run(main())


def by_to_thread(work: Callable[[], Any]) -> Any:
    """Do work by `asyncio.to_thread`."""
    return asyncio.run(asyncio.to_thread(work))


def by_threadsafe(work: Callable[[], Any]) -> Any:
    """Do work in a loop that runs in a thread from before."""

    async def main() -> Any:
        return work()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    Carried(thread.start)()
    try:
        return asyncio.run_coroutine_threadsafe(main(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


WAYS: dict[str, Run] = {
    "Thread": by_thread(lambda work: threading.Thread(target=work)),
    "run of its own": by_thread(Worker),
    "start of its own": by_thread(Starter),
    "Timer": by_thread(lambda work: threading.Timer(0, work)),
    "dummy.Process": by_thread(lambda work: multiprocessing.dummy.Process(target=work)),
    "submit": by_executor(lambda pool, work: pool.submit(work).result()),
    "Executor.map": by_executor(lambda pool, work: next(pool.map(work, [1]))),
    "apply": by_pool(lambda pool, work: pool.apply(work)),
    "apply_async": by_pool(lambda pool, work: pool.apply_async(func=work).get()),
    "map": by_pool(lambda pool, work: pool.map(work, [1])[0]),
    "map_async": by_pool(lambda pool, work: pool.map_async(work, [1]).get()[0]),
    "starmap": by_pool(lambda pool, work: pool.starmap(work, [(1, 2)])[0]),
    "starmap_async": by_pool(lambda pool, work: pool.starmap_async(work, [(1,)]).get()[0]),
    "imap": by_pool(lambda pool, work: next(pool.imap(work, [1]))),
    "imap, in chunks": by_pool(lambda pool, work: next(pool.imap(work, [1, 2], chunksize=2))),
    "imap_unordered": by_pool(lambda pool, work: next(pool.imap_unordered(work, iter([1])))),
    "run_in_executor": by_loop,
    "to_thread": by_to_thread,
    "run_coroutine_threadsafe": by_threadsafe,
}


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


def test_the_methods_are_put_back_identically() -> None:
    classes = (threading.Thread, ThreadPoolExecutor, ThreadPool)
    during = [dict(vars(owner)) for owner in classes]
    follow_threads()
    assert [dict(vars(owner)) for owner in classes] == during
    leave_threads()
    before = [dict(vars(owner)) for owner in classes]
    assert before != during
    follow_threads()
    leave_threads()
    leave_threads()
    assert [dict(vars(owner)) for owner in classes] == before
    with describe("a"):
        assert [run(open_here) for name, run in WAYS.items() if "to_thread" not in name][:9] == (
            [NOTHING] * 9
        )


def test_a_method_replaced_after_ours_is_left_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = threading.Thread.start

    def theirs(self: threading.Thread) -> None:
        ours(self)

    monkeypatch.setattr(threading.Thread, "start", theirs)
    leave_threads()
    assert threading.Thread.start is theirs
    with describe("a"):
        assert by_thread(Worker)(open_here) == NOTHING
    monkeypatch.undo()
    # What the monkeypatch put back is ours, which nobody has on record any more.
    threading.Thread.start = ours.__wrapped__  # type: ignore[attr-defined,method-assign]


def test_a_copy_of_the_module_does_no_harm() -> None:
    name = follow_threads.__module__
    ours = sys.modules.pop(name)
    try:
        again = __import__(name, fromlist=["follow_threads"])
        again.follow_threads()
        with describe("a"):
            assert [run(open_here) for run in WAYS.values()] == [(["a"], [], 0)] * len(WAYS)
        again.leave_threads()
    finally:
        sys.modules[name] = ours


def test_a_thread_that_cannot_start_is_as_it_was() -> None:
    with describe("a"):
        thread = Worker(open_here)
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        assert "run" not in vars(thread)
        with pytest.raises(RuntimeError, match="not called"):
            threading.Thread.start(threading.Thread.__new__(threading.Thread))


def test_a_run_that_the_user_has_put_there_is_kept() -> None:
    seen: list[Any] = []

    def theirs() -> None:
        seen.append(open_here())

    thread = threading.Thread()
    thread.run = theirs  # type: ignore[method-assign]
    with describe("a"):
        thread.start()
        thread.join()
    assert (seen, vars(thread)["run"]) == ([(["a"], [], 0)], theirs)


def test_a_thread_that_has_ended_is_let_go() -> None:
    gone = threading.Event()
    gc.collect()
    gc.disable()
    try:
        with describe("a"):
            thread = Worker(open_here)
            reference = weakref.ref(thread, lambda _: gone.set())
            thread.start()
        thread.join()
        del thread
        assert gone.wait(10)
        assert reference() is None
    finally:
        gc.enable()


def test_a_task_that_goes_to_another_process_goes_as_it_was() -> None:
    with describe("a"):
        values = what_is_open()
    sent = pickle.loads(pickle.dumps(Carried(abs, values)))  # noqa: S301 - our own bytes
    assert isinstance(sent, functools.partial)
    assert sent(-1) == 1


def test_a_task_looks_like_the_function_that_it_was() -> None:
    task = Carried(abs)
    assert task.__name__ == "abs"
    with pytest.raises(AttributeError):
        _ = task.nothing
    assert copy.copy(task)(-1) == 1


def test_processes_do_their_work() -> None:
    context = multiprocessing.get_context("forkserver")
    with describe("a"):
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            assert executor.submit(abs, -1).result() == 1
        with context.Pool(1) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]


# Python 3.12 warns of every fork beside other threads.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_inside_what_its_parent_was_inside() -> None:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def work() -> None:
        answers.put((open_here(), by_thread(Worker)(open_here)))

    with describe("a"):
        process = context.Process(target=work)
        process.start()
        assert answers.get() == ((["a"], [], 0), (["a"], [], 0))
        process.join()
    assert process.exitcode == 0


def test_nothing_is_wrapped_where_nothing_is_open() -> None:
    thread = Worker(open_here)
    began: list[Any] = []
    original = threading.Thread._bootstrap  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:

        def bootstrap(self: threading.Thread) -> None:
            began.append(vars(self).get("run"))
            original(self)

        patch.setattr(threading.Thread, "_bootstrap", bootstrap)
        thread.start()
        thread.join()
    assert began == [None]
