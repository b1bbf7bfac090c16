"""What a store was configured with, and what the fleet says of writers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import conformare as cf
from conformare.fleet import read_store

Config = dict[str, Any]


def test_what_a_store_was_configured_with_can_be_asked_for(tmp_path: Path) -> None:
    """As a copy, which configures the same again and shows no value when it is printed."""
    assert cf.fleet.get_store_config() is None
    given: Config = {
        "writer": "kafka",
        "bootstrap_servers": "127.0.0.1:1",
        "durability": "memory",
        "exit_timeout_seconds": 0,
        "kafka": {"sasl.password": "s3cr3t"},
    }
    cf.configure_store(**given)
    config = cf.fleet.get_store_config()
    assert config == given
    assert config is not None
    assert "s3cr3t" not in f"{config} {config!r} {config['kafka']}"
    assert "'bootstrap_servers': …" in repr(config)
    cf.configure_store(**config)
    config["writer"] = "json"
    assert cf.fleet.get_store_config() == given
    cf.configure_store(writer="json", path=str(tmp_path))
    assert cf.fleet.get_store_config() == {"writer": "json", "path": str(tmp_path)}
    cf.fleet.reset_store_config()
    assert cf.fleet.get_store_config() is None
    with pytest.raises(cf.StoreNotConfiguredError):
        cf.record_run("p", store=cf.Store())


def test_the_names_of_writers_are_in_the_fleet(tmp_path: Path) -> None:
    """A writer is made of a configuration, and a run is known by its record."""
    fleet = cf.fleet
    writer = fleet.make_writer({"writer": "json", "path": str(tmp_path)})
    assert isinstance(writer, fleet.JsonWriter)
    record = cf.to_run_record(cf.Store(), "p", run_id="r-1")
    writer.write(record)
    assert fleet.run_id_of(record) == "r-1"
    assert fleet.run_id_of(dict(read_store(str(tmp_path)))) == "r-1"
    with pytest.raises(ValueError, match="to no run"):
        fleet.run_id_of({"source_risks": []})
    assert "json" not in repr(writer) or str(tmp_path) not in repr(writer)
    with pytest.raises(AttributeError, match="no attribute 'flet'"):
        _ = cf.flet
