"""`python -m faults`: kill sinks and brokers at random instants, compare, and print the table."""

from __future__ import annotations

import shutil
import tempfile
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from support.servers.object_store import minio

from conformare_sink.options import Engine
from faults.result import Result, result_table
from faults.series import SeriesOptions, run_series

# soft_wrap: the table's lines stay whole, to be copied into docs/reliability.md.
_out = Console(soft_wrap=True, highlight=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


class Place(str, Enum):
    """Where a lake is."""

    DISK = "disk"
    S3 = "s3"


def main(
    kills: Annotated[int, typer.Option(min=0, help="How many sinks are killed, in all.")] = 100,
    runs: Annotated[int, typer.Option(min=1, help="How many run_ids flow, in all.")] = 5_000,
    series: Annotated[int, typer.Option(min=1, help="How many lakes they are divided among.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the first series; the next ones follow.")] = 1,
    store: Annotated[Place, typer.Option(help="Where the lakes are.")] = Place.DISK,
    engine: Annotated[Engine, typer.Option(help="Who processes the batches.")] = Engine.AUTO,
) -> None:
    """Kill the real sink, its Java and its broker while runs flow, then compare the lake with them.

    Before, two sinks begin at once, one is suspended and, where the lake is in an object store, one
    is cut off while its commit is under way.

    Exit code 1 if anything is lost, duplicated, mixed or was partially visible, or if anything else
    is not as it must be; the folder of such a series is kept.
    """
    results: list[Result] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=_err) as progress:
        bar = progress.add_task("starting", total=kills)

        def told(one: int, what: str) -> None:
            progress.update(bar, advance=1, description=f"series {one} of {series}: {what}")

        for number in range(series):
            share = SeriesOptions(
                seed + number,
                _share(runs, series, number),
                _share(kills, series, number),
                store=minio if store is Place.S3 else None,
                engine=engine,
            )
            folder = Path(tempfile.mkdtemp(prefix="conformare-faults-"))
            result = run_series(share, folder, partial(told, number + 1))
            results.append(result)
            if result.is_sound:
                shutil.rmtree(folder)
            else:
                complaints = "\n  ".join(result.complaints())
                _err.print(f"seed {result.seed}, kept in {folder}:\n  {complaints}", markup=False)
    _out.print(result_table(results), markup=False)
    for line in (line for result in results for line in result.ended):
        _err.print(f"ended because the broker was killed: {line}", markup=False)
    if not all(result.is_sound for result in results):
        raise typer.Exit(1)


def _share(total: int, parts: int, number: int) -> int:
    """Return how many of a total the part of a number gets."""
    return total // parts + (number < total % parts)


if __name__ == "__main__":
    typer.run(main)
