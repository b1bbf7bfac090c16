"""A DAG whose tasks say what they read and write; the plugin records them."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from airflow.sdk import dag, task

import conformare as cf


@task
def count() -> None:
    """Count the orders of each day."""
    folder = Path(os.environ["SHOP_DATA"])
    raw, daily = folder / "orders.csv", folder / "daily.csv"
    with cf.describe("Orders per day", definition_owner="Sales"):
        orders = cf.source(raw, format="csv", columns=["id", "day"])
        days = Counter(line.split(",")[1] for line in raw.read_text().splitlines()[1:])
        daily.write_text("".join(f"{day},{number}\n" for day, number in sorted(days.items())))
        cf.sink(daily, format="csv", columns=["day", "orders"], sources=[orders])


@task
def announce() -> None:
    """Read and write nothing: nothing is recorded."""


@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
def orders() -> None:
    """Orders per day."""
    count() >> announce()


orders()
