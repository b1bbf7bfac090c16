"""Dagster's side: an asset that a process of its own makes."""

import sys
from pathlib import Path

import dagster as dg

JOB = Path(__file__).with_name("daily_orders.py")


@dg.asset
def daily_orders(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient
) -> dg.MaterializeResult:
    """Orders per day."""
    command = [sys.executable, str(JOB)]
    return pipes.run(command=command, context=context).get_materialize_result()


defs = dg.Definitions(assets=[daily_orders], resources={"pipes": dg.PipesSubprocessClient()})
