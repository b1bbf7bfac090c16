"""Stores that have something to tell of, and what a job is warned of."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.lakes.handmade import HandmadeLake
from support.messages.typical import typical_store

import conformare as cf
from conformare.capture import _reads_told
from conformare.upstream import SourceWarnings

SINK = "s3://lake/silver/orders_1"
Config = dict[str, Any]


def kafka(place: Path) -> Config:
    """Return the configuration of a job whose lake is read back."""
    nowhere = {"bootstrap_servers": "127.0.0.1:1", "exit_timeout_seconds": 0}
    return {"writer": "kafka", "durability": "memory", "lake": str(place), **nowhere}


def record_orders(dest: Config) -> None:
    """Record a run whose sinks carry risks."""
    cf.record_run("orders", store=typical_store(), dest=dest, run_id="r-1")


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins in a process that has warned of nothing."""
    monkeypatch.setattr(_reads_told, "_listeners", [SourceWarnings().tell])
    monkeypatch.delenv("CONFORMARE_WARN_ON_SOURCE", raising=False)


@pytest.fixture(params=["json", "parquet", "lake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """The configuration of a store that has one run."""
    place = tmp_path / "store"
    if request.param == "lake":
        record = cf.to_run_record(typical_store(), "orders", run_id="r-1")
        HandmadeLake(place).append(record)
        return kafka(place)
    config: Config = {"writer": request.param, "path": str(place)}
    record_orders(config)
    return config


def told(action: Callable[[], object]) -> list[str]:
    """Return what an action warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    assert all(one.category is cf.UpstreamRiskWarning for one in found)
    return [str(one.message) for one in found]
