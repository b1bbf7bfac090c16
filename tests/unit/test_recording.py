"""`configure_store` and `record_run`: right use, and what wrong use is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import conformare as cf


class Collected:
    """A writer of the user's own."""

    def __init__(self) -> None:
        self.records: list[dict[str, list[dict[str, Any]]]] = []

    def write(self, record: dict[str, list[dict[str, Any]]]) -> None:
        self.records.append(record)


def test_a_run_without_a_pipeline_is_refused() -> None:
    """It is the identity that everything over time is grouped by."""
    with pytest.raises(TypeError, match="pipeline"):
        cf.record_run()  # type: ignore[call-arg]  # the mistake
    for blank in (None, "", "  "):
        with pytest.raises(ValueError, match="pipeline"):
            cf.record_run(blank)  # type: ignore[arg-type]  # the mistake


def test_without_a_store_the_error_says_what_to_call() -> None:
    """It is a RuntimeError."""
    with pytest.raises(RuntimeError, match=r"configure_store\(writer=") as caught:
        cf.record_run("p")
    assert isinstance(caught.value, cf.ConformareError)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"writer": "kafak"}, "the writers are callable, json, kafka, none, parquet, spark_table"),
        (
            {"writer": "kafka", "brokers": "b"},
            r"unknown option \(number 2 of those given\) .* bootstrap_servers",
        ),
        ({"writer": "kafka"}, "bootstrap_servers: Field required"),
        (
            {"writer": "kafka", "bootstrap_servers": "b", "topic_prefix": "a/b"},
            "topic_prefix: String should match",
        ),
        ({"writer": "json"}, "path: Field required"),
        ({}, "'spark_table' cannot be made: spark: Field required"),
        ({"spark": None}, "spark must be the job's SparkSession"),
        ({"spark": 1, "lake": "/l", "schema": "s"}, "either lake or catalog"),
    ],
)
def test_a_wrong_configuration_is_refused_at_once(config: dict[str, Any], told: str) -> None:
    """At `configure_store`, not at the first run."""
    with pytest.raises(ValueError, match=told):
        cf.configure_store(**config)


def test_a_wrong_configuration_does_not_quote_its_values() -> None:
    """One of them may be a password."""
    with pytest.raises(cf.StoreConfigurationError) as caught:
        cf.configure_store(writer="kafka", bootstrap_servers="b:1", kafka="secret")
    assert "secret" not in str(caught.value)


def test_an_unknown_if_run_exists_is_refused() -> None:
    """It would be taken for the default otherwise."""
    with pytest.raises(ValueError, match="if_run_exists"):
        cf.record_run("p", dest=Collected(), if_run_exists="ignore")


def test_a_destination_of_another_kind_is_a_type_error() -> None:
    """The error names the kinds."""
    with pytest.raises(TypeError, match="write"):
        cf.record_run("p", dest=42)  # type: ignore[arg-type]  # the mistake


def test_a_run_goes_to_an_object_or_a_function() -> None:
    """And `record_run` returns its identity."""
    collected = Collected()
    called: list[dict[str, list[dict[str, Any]]]] = []
    run_id = cf.record_run("p", dest=collected, tags={"team": "risk"})
    assert collected.records[0]["runs"][0]["run_id"] == run_id
    assert collected.records[0]["runs"][0]["tags"] == {"team": "risk"}
    cf.configure_store(writer=called.append)
    assert cf.record_run("p", run_id="r") == "r"
    assert called[0]["runs"][0]["run_id"] == "r"
    assert cf.flush() == 0


def test_the_writer_none_records_nothing() -> None:
    """To switch recording off, by the environment too; a wrong call is still told."""
    cf.configure_store(writer="none")
    assert cf.record_run("p", run_id="r") == "r"
    with pytest.raises(ValueError, match="pipeline"):
        cf.record_run("")


def test_the_environment_configures_a_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A keyword wins over it."""
    monkeypatch.setenv("CONFORMARE_WRITER", "json")
    monkeypatch.setenv("CONFORMARE_PATH", str(tmp_path / "a"))
    cf.record_run("p", run_id="r")
    assert (tmp_path / "a/p/r.json").exists()
    cf.configure_store(path=str(tmp_path / "b"))
    cf.record_run("p", run_id="r")
    assert (tmp_path / "b/p/r.json").exists()


def test_a_broken_setting_of_the_environment_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may hold a password."""
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"sasl.password": "secret')
    with pytest.raises(cf.StoreConfigurationError, match="CONFORMARE_KAFKA is not JSON") as caught:
        cf.configure_store(writer="kafka", bootstrap_servers="b:1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("if_run_exists", ["append", "skip"])
def test_json_keeps_the_first_record_of_a_run(tmp_path: Path, if_run_exists: str) -> None:
    """A run is never changed; the same run_id in another pipeline is another run."""
    dest = {"writer": "json", "path": str(tmp_path)}
    for pipeline in ("a/b", "a_b", ".."):
        for title in ("first", "second"):
            cf.record_run(
                pipeline, run_id="x/../y", title=title, dest=dest, if_run_exists=if_run_exists
            )
    files = sorted(tmp_path.rglob("*"))
    documents = [json.loads(file.read_text("utf-8")) for file in files if file.is_file()]
    assert sorted(d["runs"][0]["pipeline"] for d in documents) == ["..", "a/b", "a_b"]
    assert {d["runs"][0]["title"] for d in documents} == {"first"}


def test_parquet_writes_typed_columns_and_keeps_the_first_record(tmp_path: Path) -> None:
    """`runs` is written last: a try that broke off before it is written again."""
    dest = {"writer": "parquet", "path": str(tmp_path)}
    cf.record_run("p", run_id="r", ts="2026-01-02T03:04:05.000006Z", dest=dest, title="first")
    cf.record_run("p", run_id="r", dest=dest, title="second")
    (file,) = tmp_path.rglob("*.parquet")
    assert file.relative_to(tmp_path).as_posix() == "runs/pipeline=p/r.parquet"
    (row,) = pq.ParquetFile(file).read().to_pylist()
    assert row["title"] == "first"
    assert row["ts"].isoformat() == "2026-01-02T03:04:05.000006+00:00"
    assert row["n_nodes"] == 0
    assert row["backends"] == []
