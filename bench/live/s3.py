"""The same lake on a disk and in an object store: MinIO on loopback, next to each other in one run."""

from __future__ import annotations

from pathlib import Path

from bench.emission.broker import Broker
from bench.known.opening import SECONDS as OPENING_SECONDS
from bench.known.opening import opened
from bench.landing.backlog import RUNS, landed
from bench.landing.checkout import Checkout
from bench.landing.figures import at_most
from bench.landing.load import load
from bench.live.freshness import BATCH_SECONDS, NEW_LAKE_SECONDS, P50_SECONDS, measure
from support.lakes.view import LakeView
from support.servers.object_store import minio

PREFIX = "s3-backlog."
S3_P50_SECONDS = 1.2


def s3(broker: Broker, folder: Path, _other: Checkout | None) -> None:
    """Print freshness, batches, new lakes, openings and backlogs of both.

    Args:
        broker: The broker, which is up.
        folder: Where the lakes and the store are.
    """
    (folder / "store").mkdir()
    with minio(folder / "store") as store:
        on_disk = LakeView(str(folder / "beside s3"))
        in_store = LakeView(store.url("beside"), store.storage_options)
        disk = measure(broker, "disk.", on_disk)
        there = measure(broker, "s3.", in_store)
        print(at_most("freshness p50 on disk, seconds", disk.p50, P50_SECONDS))
        print(at_most("freshness p50 on S3, seconds", there.p50, S3_P50_SECONDS))
        _beside("freshness p95, seconds", disk.p95, there.p95)
        print(at_most("batch p50 on disk, seconds", disk.batch, BATCH_SECONDS))
        _beside("batch p50, seconds", disk.batch, there.batch)
        print(at_most("a new lake on disk, seconds", disk.new_lake, NEW_LAKE_SECONDS))
        print(at_most("a new lake on S3, seconds", there.new_lake, NEW_LAKE_SECONDS))
        on_disk, in_store = (_below(lake, "many") for lake in (on_disk, in_store))
        print(at_most("opening on disk, seconds", opened(on_disk), OPENING_SECONDS))
        print(at_most("opening on S3, seconds", opened(in_store), OPENING_SECONDS))
        load(broker, PREFIX, RUNS)
        rates = [
            RUNS / landed(broker, PREFIX, _below(lake, "backlog"))["seconds"]
            for lake in (on_disk, in_store)
        ]
        _beside("backlog, runs per second", *rates)


def _below(lake: LakeView, name: str) -> LakeView:
    return LakeView(f"{lake.root} {name}", lake.storage_options)


def _beside(what: str, disk: float, store: float) -> None:
    print(f"         {what}: on disk {disk:,.2f}, on S3 {store:,.2f}: {store / disk:.2f} times")
