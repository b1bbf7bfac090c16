"""Metadata only: whatever the code names, no credential and no address of a person gets out."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformare.capture import describe, risk, store
from conformare.capture._lineage import Expectation
from conformare.capture.locations import without_addresses
from conformare.capture.spark._reads import record_read, remember_options
from conformare.capture.spark._steps import Call
from conformare.capture.spark._table import Kind, Tracked
from conformare.capture.spark._writes import OPENED_KEY, Opened, record_write
from conformare.record import build_model, describe_run, to_run_record

# What a secret may be made of in a URL that works; a "#" or a blank would have to be escaped.
SECRETS = st.text("abcXYZ019+/=_-.~%", min_size=8, max_size=24).map(lambda s: f"S{s}T")
ADDRESSES = st.builds(
    "{}@{}.{}".format,
    st.text("abcxyz019._+-", min_size=1, max_size=12).map(lambda s: f"x{s}x"),
    st.text("abcxyz019-", min_size=1, max_size=10).map(lambda s: f"d{s}d"),
    st.sampled_from(["com", "org", "co.uk", "example"]),
)
CREDENTIALS = st.sampled_from(
    [
        "s3a://AKIA:{}@bucket/orders",
        "https://host/orders.csv?sv=1&sig={}",
        "https://user:{}@host/orders.csv",
        "abfss://box@account.dfs.core.windows.net/orders?sig={}",
        "wasbs://box@account.blob.core.windows.net/orders?sp=r&sig={}&se=2",
        "jdbc:postgresql://user:{}@host:5432/db",
        "jdbc:sqlserver://host:1433;databaseName=db;user=u;password={}",
        "jdbc:mysql://host/db?user=u&password={}",
        "jdbc:oracle:thin:user/{}@host:1521/db",
    ]
)
PERSONAL = st.sampled_from(["/out/{}/part", "/out/owner={}/x", "{}.csv", "s3a://bucket/{}/a"])


class _Owner:
    """A reader or a writer: what Spark's have beside it does not matter here."""


class _Frame:
    """A frame with hostile columns, in a session that knows a format."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.sparkSession = self
        self.conf = {"spark.sql.sources.default": "parquet"}


def call(owner: str, method: str, kind: Kind, on: Any, result: Any, *args: Any) -> Call:
    """Return a call of a method as the capture sees it."""
    return Call(Tracked(("m",), owner, method, kind), on, args, {}, result, None)


def everything_said() -> str:
    """Return all that leaves the job of what was captured, and all that is shown of it."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
    return json.dumps([record, build_model(store)]) + shown.getvalue()


def capture(location: str, column: str, words: str = "the author's own") -> None:
    """Capture a read and a write of a location in every way that takes one, and checks on it.

    What the author says may name owners, so it holds no credentials but may hold addresses.
    """
    store.clear()
    frame = _Frame(["id", column])
    for method in ("load", "csv", "table"):
        reader = _Owner()
        if method != "table":
            record_read(
                call("DataFrameReader", method, Kind.READ, reader, _Frame([column]), location)
            )
    by_option = _Owner()
    for name in ("path", "url", "dbtable"):
        option = call(
            "DataFrameReader", "option", Kind.OPTION, by_option, by_option, name, location
        )
        remember_options(option)
    record_read(call("DataFrameReader", "load", Kind.READ, by_option, frame))
    with describe(words, words, risk("r", mitigation=words, owner=words)):
        kept = _Frame([column])
        store.add_step("select", [frame], kept, logic={"args": [location]}, label=column)
        for method in ("save", "csv", "saveAsTable"):
            writer = _Owner()
            writer.__dict__[OPENED_KEY] = Opened(kept)
            record_write(call("DataFrameWriter", method, Kind.WRITE, writer, None, location))
    node = store.node_for(kept)
    store.add_expectations(
        [Expectation(node, "expect_x", column, None, hard=False, severity="low", error=location)]
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(CREDENTIALS, SECRETS)
def test_no_credential_of_a_location_gets_out(template: str, secret: str) -> None:
    location = template.format(secret)
    capture(location, "id", words=f"see {location} for more")
    assert secret not in everything_said()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(PERSONAL, ADDRESSES)
def test_no_address_of_a_person_gets_out(template: str, address: str) -> None:
    capture(template.format(address), address)
    said = everything_said()
    assert address not in said
    assert address.rpartition("@")[0] + "@" not in said


def test_names_of_places_stay() -> None:
    for text in (
        "abfss://box@account.dfs.core.windows.net/orders",
        "jdbc:postgresql://db.example.com/d",
        "s3a://bucket/orders",
        "orders@v1",
        "a plain column",
    ):
        assert without_addresses(text) == text
