"""Every way to have work done by a thread, and what is open where it is done."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.dummy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

from conformare.capture._inherited import Carried
from conformare.capture._scope import current_scope
from conformare.capture.checks._profiles import _blocks

Run = Callable[[Callable[[], Any]], Any]


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
