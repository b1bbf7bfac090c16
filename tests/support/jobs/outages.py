"""What can happen to a job, to its disk and to its broker, each done for real."""

from __future__ import annotations

import os
import random
import resource
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformare_sink.broker.broker import EmbeddedBroker
from support.jobs.processes import PRELUDE_TS, Job, all_recorded, spool_send

START_SECONDS = 120
KILLED_RUNS = 200
TOPIC_PREFIX = "outages."
FOR_EVER = """
import itertools, time
for number in itertools.count():
    record(f"{os.getpid()}-{number}")
    time.sleep(0.005)
"""

# A job whose broker is away is not to hold up the test at its end.
AT_ONCE = {"exit_timeout_seconds": "0.2"}


def several(number: int, prefix: str = "") -> str:
    """Return a program that records so many runs, each named after its process."""
    return f"for number in range({number}): record(f'{prefix}{{os.getpid()}}-{{number}}')"


@dataclass
class Outages:
    """The broker, the spool, and what the scenarios have recorded.

    Attributes:
        broker: A broker that may be harmed.
        spool: The spool of all jobs.
        recorded: Pipeline → runs that `record_run` has returned for.
        notes: Pipeline → what else a test wants to look at.
        killed: Pipeline → how many of its jobs were ended by a signal.
    """

    broker: EmbeddedBroker
    spool: Path
    recorded: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    def job(self, pipeline: str, body: str, **environment: str) -> Job:
        """Start a job."""
        known = {
            "bootstrap_servers": self.broker.bootstrap_servers,
            "topic_prefix": TOPIC_PREFIX,
            "spool_dir": str(self.spool),
        }
        return Job(pipeline, body, **{**known, **environment})

    def keep(self, *jobs: Job) -> None:
        """Take note of what jobs have recorded, and of how many were killed."""
        self.killed[jobs[0].pipeline] += sum(job.process.returncode < 0 for job in jobs)
        self.recorded.setdefault(jobs[0].pipeline, []).extend(all_recorded(jobs))

    @property
    def broker_process(self) -> int:
        """The broker's process id."""
        pid = self.broker.status().pid
        assert pid is not None
        return pid

    def restart_broker(self) -> None:
        """Let the broker be back, whatever became of it."""
        if self.broker.status().running:
            self.broker.stop()
        self.broker.start(START_SECONDS)

    def waiting(self) -> int:
        """Return how many emissions are in the spool, rejected ones aside."""
        files = self.spool.rglob("*.emission")
        return sum(file.parent.name != "rejected" for file in files)


def job_killed(outages: Outages) -> None:
    """`kill -9` at random instants, until 200 runs were recorded."""
    chance = random.Random(11)  # noqa: S311 - not for secrets
    recorded = 0
    while recorded < KILLED_RUNS:
        jobs = [outages.job("job killed", FOR_EVER) for _ in "ab"]
        for job in jobs:
            job.await_runs(chance.randint(1, 40))
            job.process.kill()
            job.end(-signal.SIGKILL)
        outages.keep(*jobs)
        recorded += len(all_recorded(jobs))


def broker_stopped(outages: Outages) -> None:
    """The broker is stopped before the job begins."""
    outages.broker.stop()
    job = outages.job("broker stopped", several(5), **AT_ONCE)
    job.end()
    outages.broker.start(START_SECONDS)
    outages.keep(job)
    outages.notes["broker stopped"] = job.errors


def broker_killed(outages: Outages) -> None:
    """The broker is killed while a job records, and started again: the job itself delivers all."""
    enough = outages.spool.parent / "enough"
    body = f"""
import itertools, time
for number in itertools.count():
    record(f"{{os.getpid()}}-{{number}}")
    if os.path.exists({str(enough)!r}): break
    time.sleep(0.02)
assert cf.flush(60) == 0
"""
    job = outages.job("broker killed", body)
    job.await_runs(20)
    os.kill(outages.broker_process, signal.SIGKILL)
    job.await_runs(len(job.recorded) + 20)
    outages.restart_broker()
    enough.touch()
    job.end()
    outages.keep(job)


def broker_hung(outages: Outages) -> None:
    """The broker's process is stopped by a signal: it accepts connections and never answers."""
    os.kill(outages.broker_process, signal.SIGSTOP)
    try:
        job = outages.job("broker hung", several(5), **AT_ONCE)
        job.end()
    finally:
        os.kill(outages.broker_process, signal.SIGCONT)
    outages.keep(job)


def brokers_disk_full(outages: Outages) -> None:
    """The broker cannot write: for the test, no file of its may grow beyond a few bytes."""
    resource.prlimit(outages.broker_process, resource.RLIMIT_FSIZE, (1000, 1000))
    before = outages.waiting()
    job = outages.job("broker's disk full", several(20), exit_timeout_seconds="1")
    job.end()
    outages.keep(job)
    outages.notes["broker's disk full"] = outages.waiting() - before
    outages.restart_broker()


def unknown_host(outages: Outages) -> None:
    """The broker's name does not resolve; an operator sends the runs to the right one."""
    job = outages.job(
        "unknown host", several(3), bootstrap_servers="no.such.host.invalid:9092", **AT_ONCE
    )
    job.end()
    outages.keep(job)
    sent = spool_send(
        outages.spool,
        *("--bootstrap-servers", outages.broker.bootstrap_servers, "--topic-prefix", TOPIC_PREFIX),
    )
    assert sent.returncode == 0, sent.stderr


def forked(outages: Outages) -> None:
    """Children of a job that has recorded before, which end without Python's own end."""
    body = """
record("before")
for child in range(3):
    if os.fork() == 0:
        record(f"child-{child}")
        # One delivers its run itself; the others end before they can.
        os._exit(cf.flush(30) if child == 0 else 0)
for child in range(3):
    assert os.wait()[1] == 0
record("after")
"""
    job = outages.job("forked", body)
    job.end()
    outages.keep(job)


def forked_and_ended(outages: Outages) -> None:
    """A forked child that ends as Python ends: it neither hangs nor sends what is its parent's."""
    body = """
record("before")
if os.fork() == 0:
    record("child")
    assert cf.flush(30) == 0
    sys.exit(0)
assert os.wait()[1] == 0
assert cf.flush(30) == 0
"""
    job = outages.job("forked and ended", body)
    job.end()
    outages.keep(job)


def pools_of_processes(outages: Outages) -> None:
    """Workers by `multiprocessing`, forked and spawned; a spawned one imports the job anew."""
    module = outages.spool.parent / "spawned.py"
    module.write_text(
        "import os\n"
        "import conformare as cf\n"
        "from support.messages.typical import typical_store\n"
        "def record(run_id):\n"
        "    cf.configure_store(writer='kafka')\n"
        f"    cf.record_run('pools', store=typical_store(), run_id=run_id, ts={PRELUDE_TS!r})\n"
        "    os.write(1, f'{run_id}\\n'.encode())\n"
        "    assert cf.flush(30) == 0\n"
    )
    body = f"""
import multiprocessing
sys.path.insert(0, {str(module.parent)!r})
import spawned
record("before")
for method in ("fork", "spawn"):
    with multiprocessing.get_context(method).Pool(2) as pool:
        pool.map(spawned.record, [f"{{method}}-{{number}}" for number in range(4)])
"""
    job = outages.job("pools", body)
    job.end()
    outages.keep(job)


def threads(outages: Outages) -> None:
    """Eight threads, and as many tasks of asyncio."""
    body = """
import asyncio, threading
def some(name):
    for number in range(5): record(f"{name}-{number}")
workers = [threading.Thread(target=some, args=(f"thread{n}",)) for n in range(8)]
for worker in workers: worker.start()
for worker in workers: worker.join()
async def task(name):
    record(f"{name}-direct")
    await asyncio.to_thread(record, f"{name}-thread")
async def main():
    await asyncio.gather(*(task(f"task{n}") for n in range(8)))
asyncio.run(main())
"""
    job = outages.job("threads", body)
    job.end()
    outages.keep(job)


def ended_by_exit(outages: Outages) -> None:
    """`os._exit` right after the last run: nothing of Python's end takes place."""
    job = outages.job("os._exit", f"{several(5)}\nos._exit(3)")
    job.end(3)
    outages.keep(job)


def terminated(outages: Outages) -> None:
    """SIGTERM, which a job that does not handle it dies of at once."""
    job = outages.job("sigterm", FOR_EVER)
    job.await_runs(10)
    job.process.terminate()
    job.end(-signal.SIGTERM)
    outages.keep(job)


def two_on_one_spool(outages: Outages) -> None:
    """Two jobs at the same time, beside what a third has left."""
    outages.broker.stop()
    left = outages.job("two on one spool", several(10, "two-"), **AT_ONCE)
    left.end()
    outages.broker.start(START_SECONDS)
    jobs = [outages.job("two on one spool", several(20, "two-")) for _ in "ab"]
    for job in jobs:
        job.end()
    outages.keep(left, *jobs)


def jobs_disk_full(outages: Outages) -> None:
    """The job cannot write its spool: it goes on, and delivers from memory."""
    body = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
{several(3)}
assert cf.flush(30) == 0
stats = cf.delivery_stats()
assert (stats.spooled, stats.unspooled, stats.delivered) == (0, 3, 3), stats
"""
    job = outages.job("job's disk full", body)
    job.end()
    outages.keep(job)
    outages.notes["job's disk full"] = job.errors


SCENARIOS: dict[str, Callable[[Outages], None]] = {
    "job killed": job_killed,
    "broker stopped": broker_stopped,
    "broker killed": broker_killed,
    "broker hung": broker_hung,
    "broker's disk full": brokers_disk_full,
    "unknown host": unknown_host,
    "forked": forked,
    "forked and ended": forked_and_ended,
    "pools": pools_of_processes,
    "threads": threads,
    "os._exit": ended_by_exit,
    "sigterm": terminated,
    "two on one spool": two_on_one_spool,
    "job's disk full": jobs_disk_full,
}
