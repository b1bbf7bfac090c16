"""A lake that knows a hundred million runs: how it is opened, what it takes, and how batches land in it.

Two lakes are made. The table `runs` of one really has all these runs, and nothing of it is kept on this
machine yet. Of the other, only the digests are: four large segments and four small ones, so that they
are merged while batches land.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bench.emission.broker import Broker
from bench.landing.checkout import Checkout
from bench.landing.figures import at_most
from bench.landing.process import arguments, found, measured
from deltalake import write_deltalake
from support.lakes.landed import rows_of
from support.messages.records import make_record

from conformare_schemas import arrow_schema, table_columns
from conformare_sink.lake.halves import Halves, in_order
from conformare_sink.lake.known.stored import SPILLED, StoredSet
from conformare_sink.lake.lake import Lake, open_for_writing
from conformare_sink.lake.tables.folder import FolderTables
from conformare_sink.lake.tables.places import folder_tables
from conformare_sink.messages.emission import RunKey
from conformare_sink.options import StorageSettings

RUNS = 100_000_000
ROWS_OF_A_FILE = 1_000_000
SEGMENTS = 4
ID_CHARACTERS = 32
BATCHES, RUNS_OF_A_BATCH = 300, 50
WARM_SECONDS, COLD_CPU_SECONDS, MORE_MB, BATCH_RATIO = 2.0, 120.0, 500.0, 1.3
SAMPLE_SECONDS = 0.05


def known(_broker: Broker, folder: Path, _other: Checkout | None) -> None:
    """Print how long opening takes, cold and warm, how much memory, and how long batches.

    Args:
        folder: Where the lakes are.
    """
    empty, many, real = (_places(folder, name) for name in ("empty", "many", "real"))
    nothing = measured("known.known", do="open", **empty)
    measured("known.known", do="keep", **many)
    warm = measured("known.known", do="open", **many)
    print(at_most(f"{RUNS:,} known runs opened warm, seconds", warm["seconds"], WARM_SECONDS))
    more = warm["anonymous_mb"] - nothing["anonymous_mb"]
    print(at_most("then anonymous memory above an empty lake's, MB", more, MORE_MB))
    landed = measured("known.known", do="land", empty=empty, many=many)
    for what, figure in (("median", median), ("longest", max)):
        without, beside_many = (figure(landed[name]) for name in ("empty", "many"))
        print(f"  {what} batch without Spark: {without * 1000:.0f} and {beside_many * 1000:.0f} ms")
        ratio = beside_many / without
        print(at_most(f"{what} batch, as a multiple of an empty lake's", ratio, BATCH_RATIO))
    print(f"  most that known runs took of a batch: {max(landed['known']) * 1000:.0f} ms")
    print(f"  segments before and after: {landed['segments']}")
    measured("known.known", do="fill", **real)
    cold = measured("known.known", do="open", **real)
    print(
        at_most(f"a table of {RUNS:,} runs opened cold, CPU seconds", cold["cpu"], COLD_CPU_SECONDS)
    )
    print(f"  it took {cold['seconds']:.0f} s")
    more = cold["most_anonymous_mb"] - nothing["most_anonymous_mb"]
    print(at_most("most anonymous memory above an empty lake's, MB", more, MORE_MB))
    again = measured("known.known", do="open", **real)
    print(at_most("that lake opened again, seconds", again["seconds"], WARM_SECONDS))


def _places(folder: Path, name: str) -> dict[str, Any]:
    return {"lake": str(folder / f"{name} lake"), "checkpoint": str(folder / f"{name} known")}


def _open(given: dict[str, Any]) -> None:
    most = 0.0
    is_over = threading.Event()

    def watch() -> None:
        nonlocal most
        while not is_over.wait(SAMPLE_SECONDS):
            most = max(most, _anonymous_mb())

    watching = threading.Thread(target=watch)
    watching.start()
    began, used = time.perf_counter(), _cpu_seconds()
    with _opened(given) as lake:
        seconds, cpu = time.perf_counter() - began, _cpu_seconds() - used
        lake.settled([RunKey("pipeline", f"run-{n}") for n in range(RUNS_OF_A_BATCH)])
        anonymous = _anonymous_mb()
        is_over.set()
        watching.join()
        found(
            seconds=seconds, cpu=cpu, anonymous_mb=anonymous, most_anonymous_mb=max(most, anonymous)
        )


def _keep(given: dict[str, Any]) -> None:
    """Keep digests of runs that no table has, as if it had them."""
    with _opened(given) as lake:
        kept = _stored(lake)
        random = np.random.default_rng(1)
        for n_digests in (*[RUNS // SEGMENTS] * SEGMENTS, *[SPILLED] * SEGMENTS):
            halves = (random.integers(0, 2**64, n_digests, np.uint64) for _ in range(2))
            kept._add_segment(in_order(Halves(*halves)))  # noqa: SLF001 - no sink could in this time
        lake._settled.known._is_changed = True  # noqa: SLF001 - its file is measured, too
    found()


def _land(given: dict[str, Any]) -> None:
    """Land small batches of typical runs in two lakes by turns; each run is asked for before."""
    records = [make_record(f"run {number}") for number in range(RUNS_OF_A_BATCH)]
    each = [rows_of(record) for record in records]
    typical = {grain: pa.concat_tables(one[grain] for one in each) for grain in each[0]}
    taken: dict[str, list[float]] = {"empty": [], "many": [], "known": []}
    with _opened(given["empty"]) as empty, _opened(given["many"]) as many:
        kept = many._settled.known  # noqa: SLF001 - how much of a batch is its
        add = kept.add

        def timed(*arguments: Any) -> None:
            began = time.perf_counter()
            add(*arguments)
            taken["known"].append(time.perf_counter() - began)

        # Of this one object, to measure it.
        kept.add = timed  # type: ignore[assignment, method-assign]
        n_segments = [len(_stored(many)._segments)]  # noqa: SLF001 - whether merges were measured
        for number in range(BATCHES):
            suffix = f"{time.time_ns()} {number}"
            rows = {grain: _renamed(table, suffix) for grain, table in typical.items()}
            run_ids = rows["runs"].column("run_id").to_pylist()
            runs = [RunKey("pipeline", run_id) for run_id in run_ids]
            for name, lake in (("empty", empty), ("many", many)):
                began = time.perf_counter()
                if lake.settled(runs).known:
                    raise RuntimeError("a new run is known")
                lake.land(rows, runs)
                taken[name].append(time.perf_counter() - began)
        n_segments.append(len(_stored(many)._segments))  # noqa: SLF001 - as above
    found(**taken, segments=n_segments)


def _renamed(rows: pa.Table, suffix: str) -> pa.Table:
    """Return the same rows of other runs."""
    run_ids = pc.binary_join_element_wise(rows.column("run_id"), suffix, "-")
    return rows.set_column(rows.schema.get_field_index("run_id"), "run_id", run_ids)


def _fill(given: dict[str, Any]) -> None:
    """Make a lake whose table `runs` has many rows, and whose other tables have none."""
    tables = _tables(given)
    with open_for_writing(tables, "the bench"):
        pass
    for rows in _rows():
        write_deltalake(tables.storage.table_uri("runs"), rows, mode="append")
    found()


def _rows() -> Iterator[pa.Table]:
    schema = arrow_schema(table_columns("runs"))
    random = np.random.default_rng(2)
    offsets = pa.py_buffer(np.arange(ROWS_OF_A_FILE + 1, dtype=np.int32) * ID_CHARACTERS)
    for start in range(0, RUNS, ROWS_OF_A_FILE):
        ids = random.bytes(ROWS_OF_A_FILE * ID_CHARACTERS // 2).hex().encode()
        moments = (np.arange(ROWS_OF_A_FILE) + start) * 1_000
        columns = {
            "run_id": pa.StringArray.from_buffers(ROWS_OF_A_FILE, offsets, pa.py_buffer(ids)),
            "pipeline": pa.array(["pipeline"]).take(pa.array(np.zeros(ROWS_OF_A_FILE, np.int32))),
            "ts": pa.array(moments).cast(pa.timestamp("us", "UTC")),
        }
        arrays = [
            columns[field.name].cast(field.type)
            if field.name in columns
            else pa.nulls(ROWS_OF_A_FILE, field.type)
            for field in schema
        ]
        yield pa.table(arrays, schema=schema)


@contextmanager
def _opened(given: dict[str, Any]) -> Iterator[Lake]:
    with open_for_writing(_tables(given), "the bench", Path(given["checkpoint"])) as lake:
        yield lake


def _tables(given: dict[str, Any]) -> FolderTables:
    return folder_tables(given["lake"], StorageSettings())


def _stored(lake: Lake) -> StoredSet:
    return lake._settled.known._set  # noqa: SLF001 - what is measured is inside


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _anonymous_mb() -> float:
    """Memory of this process that is no page of a file: those are the disk's cache, and given back."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


_DO: dict[str, Callable[[dict[str, Any]], None]] = {
    "open": _open,
    "keep": _keep,
    "land": _land,
    "fill": _fill,
}

if __name__ == "__main__":
    asked = arguments()
    _DO[asked["do"]](asked)
