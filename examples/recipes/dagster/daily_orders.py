"""The process that makes the asset: it records its run under the id that Dagster knows."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from dagster_pipes import open_dagster_pipes

import conformare as cf


def main() -> None:
    """Count the orders of each day."""
    folder = Path(os.environ["SHOP_DATA"])
    raw, daily = folder / "orders.csv", folder / "daily.csv"
    with open_dagster_pipes() as pipes, cf.describe("Orders per day", definition_owner="Sales"):
        orders = cf.source(raw, format="csv", columns=["id", "day"])
        days = Counter(line.split(",")[1] for line in raw.read_text().splitlines()[1:])
        daily.write_text("".join(f"{day},{count}\n" for day, count in sorted(days.items())))
        cf.sink(daily, format="csv", columns=["day", "orders"], sources=[orders])
        run_id = cf.record_run(
            f"dagster.{pipes.asset_key}",
            run_id=f"{pipes.run_id}/{pipes.asset_key}/{pipes.retry_number}",
            tags={"dagster_run_id": pipes.run_id, "retry_number": pipes.retry_number},
        )
        pipes.report_asset_materialization(metadata={"conformare_run_id": run_id})
    cf.flush()


if __name__ == "__main__":
    main()
