"""`check_upstream_risks`: what is recorded of the places that a job asks for, without Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.messages.typical import typical_store

import conformare as cf
from conformare.fleet import read_store, upstream_risks

from .conftest import SINK, Config, kafka, record_orders, told


def test_every_store_answers_as_the_fleet_does(store: Config) -> None:
    """In any spelling; a location that carries nothing has a row too."""
    rows = cf.check_upstream_risks(
        ["s3a://lake/silver/orders_1/", "s3n://nowhere"], dest=store, warn=False
    )
    assert rows == upstream_risks(read_store(store), [SINK, "s3://nowhere"])
    assert [row["location"] for row in rows] == [SINK, "s3://nowhere"]
    assert [row["n_risks"] for row in rows] == [3, 0]
    assert rows == json.loads(json.dumps(rows))


def test_one_warning_tells_of_all_risky_locations(tmp_path: Path) -> None:
    """And none of those that carry nothing."""
    cf.configure_store(writer="json", path=str(tmp_path))
    cf.record_run("orders", store=typical_store())
    both = [SINK, "s3://nowhere", "s3a://lake/silver/orders_3"]
    (message,) = told(lambda: cf.check_upstream_risks(both))
    assert message == (
        f"{SINK} carries 3 recorded risks: 3 indirect; "
        "s3://lake/silver/orders_3 carries 3 recorded risks: 3 indirect"
    )
    assert told(lambda: cf.check_upstream_risks(both, warn=False)) == []
    assert told(lambda: cf.check_upstream_risks("s3://nowhere")) == []
    assert told(lambda: cf.check_upstream_risks([])) == []
    assert len(told(lambda: cf.check_upstream_risks(SINK))) == 1


def test_a_warning_has_no_credentials(tmp_path: Path) -> None:
    """And they do not stand in the way of the answer."""
    config = {"writer": "json", "path": str(tmp_path)}
    cf.configure_store(**config)
    cf.record_run("orders", store=typical_store())
    (message,) = told(lambda: cf.check_upstream_risks("s3a://key:s3cr3t@lake/silver/orders_1"))
    assert "s3cr3t" not in message


def test_without_a_store_it_is_a_runtime_error() -> None:
    """As for record_run."""
    with pytest.raises(RuntimeError, match="no store is configured"):
        cf.check_upstream_risks(SINK)


@pytest.mark.parametrize(
    "dest",
    [print, {"writer": print}, {"writer": "none"}, kafka(Path("x")) | {"lake": None}],
    ids=["function", "callable", "none", "kafka"],
)
def test_what_cannot_be_read_back_is_a_value_error(dest: Any) -> None:
    """It is not that there are no risks."""
    with pytest.raises(ValueError, match=r"cannot be read back|give lake="):
        cf.check_upstream_risks(SINK, dest=dest)


def test_a_writer_object_is_read_back_if_it_is_ours(tmp_path: Path) -> None:
    """Another one is asked for what nobody knows."""
    config = {"writer": "json", "path": str(tmp_path)}
    record_orders(config)
    writer = cf.fleet.make_writer(config)
    (row,) = cf.check_upstream_risks(SINK, dest=writer, warn=False)
    assert row["n_risks"] == 3

    class Slotted:
        __slots__ = ()

        def write(self, record: object) -> None:
            """Keep nothing."""

    with pytest.raises(cf.ConformareError, match="cannot be read back"):
        cf.check_upstream_risks(SINK, dest=Slotted())


def test_a_store_that_cannot_be_read_fails_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, without its location."""
    (tmp_path / "s3cr3t/orders").mkdir(parents=True)
    (tmp_path / "s3cr3t/orders/r-1.json").write_text("{")
    dest = {"writer": "json", "path": str(tmp_path / "s3cr3t")}
    assert cf.check_upstream_risks(SINK, dest=dest) == []
    (record,) = caplog.records
    assert record.getMessage() == (
        "conformare: the store cannot be read for the risks of what this job reads (the "
        "store/orders/r-1.json is damaged: restore or remove it); it continues without them"
    )


@pytest.mark.parametrize(
    ("location", "recorded"),
    [
        ("spark_catalog.default.Customers", "customers"),
        ("`sales`.`customers`", "sales.customers"),
        ("delta.`/data/customers/`", "/data/customers"),
        ("jdbc:postgresql://Host:5432/db#t", "jdbc:postgresql://host/db#t"),
    ],
)
def test_a_place_may_be_asked_for_as_it_may_be_declared(
    tmp_path: Path, location: str, recorded: str
) -> None:
    """The one spelling that captured locations have is found by both."""
    cf.configure_store(writer="json", path=str(tmp_path))
    cf.record_source_risk(recorded, "quality.outliers")
    (row,) = cf.check_upstream_risks(location, warn=False)
    assert (row["location"], row["n_risks"]) == (recorded, 1)
