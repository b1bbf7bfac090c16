"""The risks that a job is told of with what it reads, without Spark."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.lakes.handmade import HandmadeLake
from support.messages.typical import typical_store
from support.servers.silent import silent_store

import conformare as cf
from conformare import _recording
from conformare.capture import _reads_told
from conformare.capture._reads_told import tell_read
from conformare.fleet import read_store, upstream_risks
from conformare.reader import StoreReadError
from conformare.upstream import SourceWarnings, _look

SINK = "s3://lake/silver/orders_1"
Config = dict[str, Any]


def _kafka(place: Path) -> Config:
    nowhere = {"bootstrap_servers": "127.0.0.1:1", "exit_timeout_seconds": 0}
    return {"writer": "kafka", "durability": "memory", "lake": str(place), **nowhere}


def _record(dest: Config) -> None:
    cf.record_run("orders", store=typical_store(), dest=dest, run_id="r-1")


@pytest.fixture(autouse=True)
def no_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins in a process that has no store, and has warned of nothing."""
    monkeypatch.setattr(_recording, "_stores", _recording._Stores())
    monkeypatch.setattr(_reads_told, "_listeners", [SourceWarnings().tell])
    monkeypatch.delenv("CONFORMARE_WARN_ON_SOURCE", raising=False)
    yield
    _recording._stores.replace(None)


@pytest.fixture(params=["json", "parquet", "lake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Config:
    """The configuration of a store that has one run."""
    place = tmp_path / "store"
    if request.param == "lake":
        record = cf.to_run_record(typical_store(), "orders", run_id="r-1")
        HandmadeLake(place).append(record)
        return _kafka(place)
    config: Config = {"writer": request.param, "path": str(place)}
    _record(config)
    return config


def told(action: Callable[[], object]) -> list[str]:
    """Return what an action warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    assert all(one.category is cf.UpstreamRiskWarning for one in found)
    return [str(one.message) for one in found]


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
    [print, {"writer": print}, {"writer": "none"}, _kafka(Path("x")) | {"lake": None}],
    ids=["function", "callable", "none", "kafka"],
)
def test_what_cannot_be_read_back_is_a_value_error(dest: Any) -> None:
    """It is not that there are no risks."""
    with pytest.raises(ValueError, match=r"cannot be read back|give lake="):
        cf.check_upstream_risks(SINK, dest=dest)


def test_a_writer_object_is_read_back_if_it_is_ours(tmp_path: Path) -> None:
    """Another one is asked for what nobody knows."""
    config = {"writer": "json", "path": str(tmp_path)}
    _record(config)
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


def test_a_silent_store_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For longer than a bounded time; reads are not held up by it a second time."""
    monkeypatch.setattr(_look, "LOOK_UP_SECONDS", 1.0)
    with silent_store(monkeypatch) as lake:
        config = _kafka(Path("x")) | {"lake": lake, "warn_on_source": True}
        cf.configure_store(**config)
        began = time.monotonic()
        assert cf.check_upstream_risks(SINK) == []
        assert told(lambda: tell_read(SINK)) == []
        assert time.monotonic() - began < 4
        began = time.monotonic()
        for _ in range(3):
            cf.record_run("p", store=cf.Store(), dest={"writer": "none"})
            assert told(lambda: tell_read(SINK)) == []
        assert time.monotonic() - began < 1
    messages = [record.getMessage() for record in caplog.records if "cannot be read" in record.msg]
    assert len(messages) == 2
    assert all("no answer within 1 s" in message for message in messages)


def test_a_captured_read_warns_once_where_it_is_asked_for(store: Config) -> None:
    """Of the place, in whichever spelling it is read; at the line of the user's that reads it."""
    cf.configure_store(**store, warn_on_source=True)
    assert told(lambda: tell_read("s3://lake/silver/elsewhere")) == []
    with pytest.warns(cf.UpstreamRiskWarning, match=r"orders_1/ carries 3 recorded risks") as found:
        tell_read("s3://lake/silver/orders_1/")
    assert found[0].filename == __file__
    assert told(lambda: tell_read(SINK)) == []
    both = told(lambda: tell_read("s3a://lake/silver/orders_1, s3a://lake/silver/orders_3"))
    assert [message.split(" ")[0] for message in both] == ["s3a://lake/silver/orders_3"]


def test_reads_warn_of_nothing_by_default(store: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the store looked at."""
    monkeypatch.setattr(_look, "asked", None)
    cf.configure_store(**store)
    assert told(lambda: tell_read(SINK)) == []
    cf.configure_store(**store, warn_on_source=False)
    assert told(lambda: tell_read(SINK)) == []
    cf.fleet.reset_store_config()
    assert told(lambda: tell_read(SINK)) == []


def test_a_read_may_be_asked_to_warn_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every keyword may."""
    _record({"writer": "json", "path": str(tmp_path)})
    monkeypatch.setenv("CONFORMARE_WRITER", "json")
    monkeypatch.setenv("CONFORMARE_PATH", str(tmp_path))
    assert told(lambda: tell_read(SINK)) == []
    monkeypatch.setenv("CONFORMARE_WARN_ON_SOURCE", "true")
    assert len(told(lambda: tell_read(SINK))) == 1


def test_a_warning_never_fails_a_read(tmp_path: Path) -> None:
    """Not where warnings are errors either."""
    config = {"writer": "json", "path": str(tmp_path)}
    _record(config)
    cf.configure_store(**config, warn_on_source=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tell_read(SINK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(cf.UpstreamRiskWarning):
            cf.check_upstream_risks(SINK)


def test_the_store_is_read_once_until_something_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or another one is configured."""
    looks: list[int] = []
    real: Callable[..., list[Any]] = vars(_look)["asked"]

    def counted(*what: Any, **about: Any) -> list[Any]:
        looks.append(1)
        return real(*what, **about)

    monkeypatch.setattr(_look, "asked", counted)
    config = {"writer": "json", "path": str(tmp_path), "warn_on_source": True}
    cf.configure_store(**config)
    (tmp_path / "none").mkdir()
    cf.record_run("other", store=cf.Store())
    for _ in range(3):
        assert told(lambda: tell_read(SINK)) == []
    assert len(looks) == 1
    cf.record_run("orders", store=typical_store())
    assert len(told(lambda: tell_read(SINK))) == 1
    assert len(looks) == 2
    cf.configure_store(**config)
    tell_read(SINK)
    assert len(looks) == 3


def test_what_is_declared_for_a_place_is_told_at_the_next_read(tmp_path: Path) -> None:
    """Whichever pipeline writes it; nobody has recorded a run yet."""
    cf.configure_store(writer="json", path=str(tmp_path), warn_on_source=True)
    cf.record_source_risk("s3://raw/other", "quality.outliers")
    assert told(lambda: tell_read("s3://raw/customers")) == []
    cf.record_source_risk("s3://raw/customers", "privacy.pii_exposure", column="email")
    assert told(lambda: tell_read("s3a://raw/customers/")) == [
        "s3a://raw/customers/ carries 1 recorded risk: 1 static"
    ]


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


def test_a_store_that_fails_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Until another one is configured; a store that cannot be read back is told as well."""

    def fails(*_what: Any, **_about: Any) -> list[Any]:
        raise StoreReadError("it is away")

    monkeypatch.setattr(_look, "asked", fails)
    cf.configure_store(writer="json", path=str(tmp_path), warn_on_source=True)
    for _ in range(3):
        tell_read(SINK)
        cf.record_run("p", store=cf.Store())
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "(it is away)" in caplog.text
    cf.configure_store(writer=lambda _record: None, warn_on_source=True)
    for _ in range(3):
        tell_read(SINK)
        cf.record_run("p", store=cf.Store())
    assert caplog.text.count("no read can be warned of") == 1


FORKING = """
import os, sys, warnings
import conformare as cf
from conformare.capture._reads_told import tell_read

warnings.simplefilter("always")
cf.configure_store(writer="json", path=sys.argv[1], warn_on_source=True)

def told(location):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        tell_read(location)
    return len(found)

if sys.argv[2] == "before":
    assert told("s3a://lake/silver/orders_1") == 1
pid = os.fork()
if pid == 0:
    assert told("s3a://lake/silver/orders_3") == 1
    assert len(cf.check_upstream_risks("s3a://lake/silver/orders_1", warn=False)) == 1
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert told("s3a://lake/silver/orders_3") == 1
assert "deltalake" not in sys.modules
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fork_does_no_harm(tmp_path: Path, when: str) -> None:
    """Before the first look at the store, or after it; deltalake is never loaded into the job."""
    _record({"writer": "json", "path": str(tmp_path)})
    job = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, str(tmp_path), when],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (job.returncode, job.stdout, job.stderr) == (0, "", "")


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
    with pytest.raises(ValueError, match="of no run"):
        fleet.run_id_of({"source_risks": []})
    assert "json" not in repr(writer) or str(tmp_path) not in repr(writer)
    with pytest.raises(AttributeError, match="no attribute 'flet'"):
        _ = cf.flet
