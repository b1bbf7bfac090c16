"""`record_source_risk`: what is recorded of a location, what wrong use is told, where it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.jobs.location_forms import FORMS, Form

import conformare as cf
from conformare.capture.declared._location import MOST_LOCATION_BYTES
from conformare.record._declaration import MOST_RISKS
from conformare.testing import InMemoryWriter
from conformare_schemas import arrow_schema, table_columns

Row = dict[str, Any]


def declared(*risks: Any, location: Any = "/data", **fields: Any) -> list[Row]:
    """The rows that a call records."""
    return cf.record_source_risk(location, *risks, dest={"writer": "none"}, **fields)[
        "source_risks"
    ]


def test_a_risk_of_the_catalog_brings_its_title_its_heading_and_its_severity() -> None:
    """And what is said beside."""
    assert declared(
        "privacy.pii_exposure",
        column="email",
        owner="data office",
        mitigation="tokenised",
        note="since 2019",
        context="marketing",
        author="Ada",
        ts="2026-01-02T03:04:05+02:00",
    ) == [
        {
            "location": "/data",
            "ts": "2026-01-02T01:04:05.000000Z",
            "column": "email",
            "risk_id": "privacy.pii_exposure",
            "label": "Personal data in the open",
            "category": "Privacy",
            "severity": "high",
            "owner": "data office",
            "mitigation": "tokenised",
            "note": "since 2019",
            "context": "marketing",
            "author": "Ada",
            "kind": "static",
        }
    ]


def test_an_id_that_nobody_knows_is_kept() -> None:
    """Blank texts say nothing."""
    (row,) = declared("own.risk", owner=" ", column="", note="")
    assert (row["risk_id"], row["label"]) == ("own.risk", "own.risk")
    assert (row["category"], row["severity"]) == ("Unspecified", "medium")
    assert (row["owner"], row["column"], row["note"], row["author"]) == (None,) * 4


def test_risks_are_given_in_every_form_that_they_have_elsewhere() -> None:
    """Each once; what `risk(...)` says itself stays."""
    entry = cf.Risk("own.entry", "Own", "Own title", default_severity="low")
    own = cf.risk("quality.outliers", "own.risk", owner="Grace", severity="critical")
    rows = declared("ops.manual_step", entry, own, ["ops.manual_step"], owner="Ada", note="n")
    assert [(r["risk_id"], r["severity"], r["owner"], r["note"]) for r in rows] == [
        ("ops.manual_step", "medium", "Ada", "n"),
        ("own.entry", "low", "Ada", "n"),
        ("quality.outliers", "critical", "Grace", "n"),
        ("own.risk", "critical", "Grace", "n"),
    ]
    rows = declared("ops.manual_step", cf.risk("own.risk"), own, severity="HIGH")
    assert [row["severity"] for row in rows] == ["high", "high", "critical", "critical"]


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("s3a://bucket/customers/", "s3://bucket/customers"),
        (Path("/data/customers"), "/data/customers"),
        (" /data/customers/ ", "/data/customers"),
        ("/", "/"),
        ("s3a://KEY:S3CRET@bucket/customers?sig=S3CRET", "s3://bucket/customers"),
        ("file:///data/customers", "/data/customers"),
        ("jdbc:postgresql://u:S3CRET@host/db", "jdbc:postgresql://host/db"),
        (
            "jdbc:postgresql://host/db#public.customers",
            "jdbc:postgresql://host/db#public.customers",
        ),
        (
            "jdbc:postgresql://host:5432/db#public.customers",
            "jdbc:postgresql://host/db#public.customers",
        ),
        ("sales.customers", "sales.customers"),
        ("spark_catalog.default.Customers", "customers"),
        ("`sales`.`customers`", "sales.customers"),
        ("delta.`/data/customers/`", "/data/customers"),
    ],
)
def test_a_location_is_recorded_as_reads_and_writes_name_it(location: Any, shown: str) -> None:
    """Without credentials, in the one spelling that captured locations have."""
    (row,) = declared("own.risk", location=location)
    assert row["location"] == shown


def test_no_credential_is_in_any_text() -> None:
    """Whoever pastes a connection string into a note does not publish it."""
    pasted = "jdbc:mysql://host/db?user=u&password=S3CRET"
    (row,) = declared(
        pasted, location=pasted, note=pasted, owner=pasted, context=pasted, mitigation=pasted
    )
    assert "S3CRET" not in json.dumps(row)


@pytest.mark.parametrize(
    "location",
    [
        "jdbc:postgresql://h/db?password=a#S3CRET",
        "jdbc:postgresql://u:pa#S3CRET@host/db",
        "jdbc:postgresql://u:pa#S3CRET",
        "jdbc:sqlserver://h;password=a#S3CRET",
        "jdbc:sqlserver://h;password=a#S3CRET;x=y",
        "jdbc:oracle:thin:u/pa#S3CRET@host:1521/db",
        "jdbc:oracle:oci:user/a#S3CRET@alias",
        "jdbc:vendor:user/a#S3CRET",
        "Server=h;Password=a#S3CRET",
        "https://host/x?token=a#S3CRET",
    ],
)
def test_the_rest_of_a_password_is_not_taken_for_a_table(location: str) -> None:
    """A "#" in it ends the URL, if it is not escaped."""
    (row,) = declared("own.risk", location=location)
    assert "S3CRET" not in row["location"]


HOLDING = [form for forms in FORMS.values() for form in forms if form.places]
WILD = st.lists(st.sampled_from([*"abcXYZ019+=_-.~%@:?&;,(){}#$!*", "12?", "h:1"]), min_size=1)


@given(st.sampled_from(HOLDING), WILD, st.data())
def test_no_secret_at_any_place_of_any_form_is_declared(
    form: Form, parts: list[str], data: st.DataObject
) -> None:
    """Whatever it is made of."""
    pasted = "".join(f"Q9Z{part}" for part in parts) + "Q9Z"
    location = form.holding(pasted, data.draw(st.integers(0, form.places - 1)))
    (row,) = declared("own.risk", location=location)
    assert "Q9Z" not in row["location"]


@pytest.mark.parametrize("location", [None, "", "  ", 7, b"/data", ["/data"]])
def test_without_a_location_nothing_is_recorded(location: Any) -> None:
    with pytest.raises(ValueError, match="location must be"):
        declared("own.risk", location=location)


@pytest.mark.parametrize("risks", [(), (None,), ([],), ("",), ("own.risk", " "), (cf.risk(),)])
def test_without_a_risk_nothing_is_recorded(risks: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="at least one risk"):
        declared(*risks)


def test_a_wrong_call_is_told_before_anything_is_written() -> None:
    """Unknown keywords as Python does, the rest as a ValueError."""
    with pytest.raises(TypeError, match="unexpected keyword"):
        declared("own.risk", colum="email")
    with pytest.raises(ValueError, match="unknown severity 'grave'"):
        declared("own.risk", severity="grave")
    with pytest.raises(ValueError, match="ts must be"):
        declared("own.risk", ts="yesterday")
    with pytest.raises(RuntimeError, match=r"configure_store\(writer="):
        cf.record_source_risk("/data", "own.risk")


def test_a_declaration_is_bounded() -> None:
    """It is one message, and its location the key of that."""
    assert len(declared([f"risk-{n}" for n in range(MOST_RISKS)])) == MOST_RISKS
    with pytest.raises(ValueError, match="1,001 risks are too many"):
        declared([f"risk-{n}" for n in range(MOST_RISKS + 1)])
    assert declared("own.risk", location="/" + "x" * (MOST_LOCATION_BYTES - 1))
    with pytest.raises(ValueError, match="location has 2,001 bytes"):
        declared("own.risk", location="/" + "x" * MOST_LOCATION_BYTES)


def test_the_json_writer_keeps_each_declaration(tmp_path: Path) -> None:
    """In the same words, too; no run and no other one is overwritten by it."""
    cf.configure_store(writer="json", path=str(tmp_path))
    records = [cf.record_source_risk("/data", "own.risk", ts="2026-01-02") for _ in range(2)]
    run_id = cf.record_run("_static", store=cf.Store())
    files = sorted((tmp_path / "_static").glob("*.json"))
    assert [json.loads(file.read_text("utf-8")) for file in files] == records
    assert (tmp_path / "%5Fstatic" / f"{run_id}.json").exists()


def test_the_parquet_writer_keeps_each_declaration(tmp_path: Path) -> None:
    """With the columns of the table."""
    cf.configure_store(writer="parquet", path=str(tmp_path))
    for column in ("email", None):
        cf.record_source_risk("/data", "own.risk", "other.risk", column=column)
    files = sorted((tmp_path / "source_risks").glob("*.parquet"))
    tables = [pq.ParquetFile(file).read() for file in files]
    assert [table.num_rows for table in tables] == [2, 2]
    assert all(t.schema.equals(arrow_schema(table_columns("source_risks"))) for t in tables)
    assert [table.column("column").to_pylist() for table in tables] == [["email"] * 2, [None] * 2]
    assert {*tables[0].column("emission_id").to_pylist()} == {files[0].stem}


def test_functions_objects_and_the_store_of_tests_get_the_record() -> None:
    """Beside runs, which stay what they are."""
    taken: list[Any] = []
    writer = InMemoryWriter()
    for dest in (taken.append, writer):
        record = cf.record_source_risk("/data", "own.risk", dest=dest)
    assert [record.keys() for record in taken] == [{"source_risks"}]
    with pytest.raises(AssertionError, match="no run was recorded"):
        writer.last("runs")
    run_id = cf.record_run("p", store=cf.Store(), dest=writer)
    assert cf.record_source_risk("/data", "own.risk", dest=writer)
    assert [row["run_id"] for row in writer.rows("runs")] == [run_id]
    assert writer.last("runs") == writer.records[1]["runs"]
    assert writer.last("source_risks") == writer.records[2]["source_risks"]
    assert len(writer.rows("source_risks")) == 2
    assert record == writer.records[0]
    with pytest.raises(KeyError):
        writer.rows("run")
