"""Threads, pools and their methods are as they were, but for the blocks that are open in them."""

from __future__ import annotations

import copy
import functools
import gc
import multiprocessing
import multiprocessing.dummy
import pickle
import sys
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest
from support.jobs.threads import (
    NOTHING,
    WAYS,
    Worker,
    by_thread,
    open_here,
)

from conformare.capture import describe
from conformare.capture._inherited import Carried, what_is_open
from conformare.capture._threads import follow_threads, leave_threads

OF_ASYNCIO = ("to_thread", "run_coroutine_threadsafe")


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
        # Python itself hands what is open on to a task of asyncio's.
        ways = [run for name, run in WAYS.items() if name not in OF_ASYNCIO]
        assert [run(open_here) for run in ways] == [NOTHING] * len(ways)


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
    thread.run = theirs  # type: ignore[method-assign]  # as some programs do
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
    original = threading.Thread._bootstrap  # type: ignore[attr-defined]  # Python's own, in no stub
    with pytest.MonkeyPatch.context() as patch:

        def bootstrap(self: threading.Thread) -> None:
            began.append(vars(self).get("run"))
            original(self)

        patch.setattr(threading.Thread, "_bootstrap", bootstrap)
        thread.start()
        thread.join()
    assert began == [None]
