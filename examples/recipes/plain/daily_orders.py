"""A job without Spark: it says what it reads and writes. `python daily_orders.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import conformare as cf


def count_orders(folder: Path) -> None:
    """Count the orders of each day."""
    with cf.describe("Orders per day", purpose="sales report", definition_owner="Sales"):
        orders = pd.read_csv(folder / "orders.csv")
        read = cf.source(folder / "orders.csv", format="csv", columns=orders.columns)
        daily = orders.groupby("day", as_index=False).agg(orders=("id", "count"))
        with cf.risk("quality.duplicates", mitigation="ids are unique in the shop", owner="Shop"):
            daily.to_csv(folder / "daily.csv", index=False)
            cf.sink(folder / "daily.csv", format="csv", columns=daily.columns, sources=[read])


if __name__ == "__main__":
    cf.configure_store()  # CONFORMARE_WRITER and the others say where to
    count_orders(Path(sys.argv[1]))
    cf.record_run("daily_orders")
    cf.flush()  # a job that ends without it leaves the run to the next one
