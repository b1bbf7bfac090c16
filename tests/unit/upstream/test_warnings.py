"""What a job is warned of when it reads a place that carries risks, without Spark."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.messages.typical import typical_store
from support.servers.silent import silent_store

import conformare as cf
from conformare.capture._reads_told import tell_read
from conformare.reader import StoreReadError
from conformare.upstream import _look

from .conftest import SINK, Config, kafka, record_orders, told


def test_a_silent_store_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For longer than a bounded time; reads are not held up by it a second time."""
    monkeypatch.setattr(_look, "LOOK_UP_SECONDS", 1.0)
    with silent_store(monkeypatch) as lake:
        config = kafka(Path("x")) | {"lake": lake, "warn_on_source": True}
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
    record_orders({"writer": "json", "path": str(tmp_path)})
    monkeypatch.setenv("CONFORMARE_WRITER", "json")
    monkeypatch.setenv("CONFORMARE_PATH", str(tmp_path))
    assert told(lambda: tell_read(SINK)) == []
    monkeypatch.setenv("CONFORMARE_WARN_ON_SOURCE", "true")
    assert len(told(lambda: tell_read(SINK))) == 1


def test_a_warning_never_fails_a_read(tmp_path: Path) -> None:
    """Not where warnings are errors either."""
    config = {"writer": "json", "path": str(tmp_path)}
    record_orders(config)
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
    record_orders({"writer": "json", "path": str(tmp_path)})
    job = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, str(tmp_path), when],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (job.returncode, job.stdout, job.stderr) == (0, "", "")
