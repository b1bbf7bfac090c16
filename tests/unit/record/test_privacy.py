"""Metadata only: whatever the code names, no credential and no address of a person gets out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.jobs.location_forms import FORMS, Form
from support.messages.produce import emission_of

from conformare.capture import describe, lineage, risk, store
from conformare.capture._lineage import Expectation
from conformare.capture.locations import last_segment, redacted, without_addresses
from conformare.capture.spark._delta_tables import record_delta_read, remember_table
from conformare.capture.spark._reads import record_read, remember_options
from conformare.capture.spark._steps import Call
from conformare.capture.spark._streams import record_stream_write
from conformare.capture.spark._table import Kind, Tracked
from conformare.capture.spark._writes import OPENED_KEY, Opened, record_write
from conformare.emission.spool import Destination
from conformare.emission.spool._file import to_bytes
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
HOLDING = [form for forms in FORMS.values() for form in forms if form.places]
# A blank and a quote would end a word in the author's own text, a slash the value of a partition.
WILD = st.lists(st.sampled_from([*"abcXYZ019+=_-.~%@:?&;,(){}#$!*", "12?", "h:1"]), min_size=1)
PLACES = ("path", "topic", "subscribe", "subscribePattern", "assign", "table")
PERSONAL = st.sampled_from(["/out/{}/part", "/out/owner={}/x", "{}.csv", "s3a://bucket/{}/a"])


class _Owner:
    """A reader or a writer: what Spark's have beside it does not matter here."""


class _Frame:
    """A frame with hostile columns, in a session that knows a format."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.sparkSession = self.catalog = self
        self.conf = {"spark.sql.sources.default": "parquet", "spark.sql.catalog.c": "C"}

    def currentCatalog(self) -> str:
        return "spark_catalog"

    def currentDatabase(self) -> str:
        return "default"


def call(owner: str, method: str, kind: Kind, on: Any, result: Any, *args: Any) -> Call:
    """Return a call of a method as the capture sees it."""
    return Call(Tracked(("m",), owner, method, kind), on, args, {}, result, None)


def everything_said() -> str:
    """Return all that leaves the job of what was captured, and all that is shown of it."""
    shown = io.StringIO()
    describe_run(store, file=shown)
    record = to_run_record(store, "p", run_id="r", ts="2026-01-01T00:00:00Z")
    emission = emission_of(record)
    spooled = to_bytes(emission, Destination("h:1", "p.")).decode("latin-1")
    messages = "".join(message.value.decode("latin-1") for message in emission.messages)
    return json.dumps([record, build_model(store)]) + shown.getvalue() + spooled + messages


def readers_of(location: str) -> Iterator[_Owner]:
    """Yield readers that are given a location in every way that takes one."""
    for names in (
        *((name,) for name in PLACES),
        ("url", "dbtable"),
        ("url", "query"),
        ("dbtable",),
    ):
        reader = _Owner()
        for name in names:
            option = call("DataFrameReader", "option", Kind.OPTION, reader, reader, name, location)
            remember_options(option)
        yield reader


def capture(location: str, column: str) -> Any:
    """Capture a read and a write of a location in every way that takes one; return a frame."""
    store.clear()
    for method in ("load", "csv", "parquet", "table"):
        result = _Frame([column])
        record = record_read if method != "table" else record_table_read
        record(call("DataFrameReader", method, Kind.READ, _Owner(), result, location))
    for reader in readers_of(location):
        frame = _Frame(["id", column])
        record_read(call("DataFrameReader", "load", Kind.READ, reader, frame))
    opened = _Owner()
    remember_table(call("DeltaTable", "forPath", Kind.DELTA_OPEN, None, opened, None, location))
    record_delta_read(call("DeltaTable", "toDF", Kind.DELTA_READ, opened, _Frame([column])))
    for method in ("save", "csv", "saveAsTable"):
        writer = _Owner()
        writer.__dict__[OPENED_KEY] = Opened(frame)
        record_write(call("DataFrameWriter", method, Kind.WRITE, writer, None, location))
    streamed = _Owner()
    streamed.__dict__[OPENED_KEY] = Opened(frame)
    start = call("DataStreamWriter", "start", Kind.STREAM_WRITE, streamed, None, location)
    record_stream_write(start)
    return frame


def record_table_read(of: Call) -> None:
    """Capture a read of a table by its name, without a Spark that would know it."""
    name = str(of.args[0])
    location, label = redacted(name), last_segment(redacted(name)).rpartition(".")[2]
    store.add_source(of.result, location=location, format="table", reader="r", label=label)


def say(words: str, column: str, frame: Any) -> None:
    """Say something about a step as its author, and check it.

    What the author says may name owners, so it holds no credentials but may hold addresses.
    """
    with describe(words, words, risk("r", mitigation=words, owner=words)):
        kept = _Frame([column])
        store.add_step("select", [frame], kept, logic={"args": [words]}, label=column)
    node = store.node_for(kept)
    store.add_expectations(
        [Expectation(node, "expect_x", column, None, hard=False, severity="low", error=words)]
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick_digests")
@given(st.sampled_from(HOLDING), WILD, st.data())
def test_no_secret_at_any_place_of_any_form_gets_out(
    caplog: pytest.LogCaptureFixture, form: Form, parts: list[str], data: st.DataObject
) -> None:
    """Whatever it is made of, and wherever it is captured."""
    secret = "".join(f"Q9Z{part}" for part in parts) + "Q9Z"
    if data.draw(st.booleans()):
        secret = data.draw(st.sampled_from(["12?", "12:", "h?x=", "x;y=", "@"])) + secret
    place = data.draw(st.integers(0, form.places - 1))
    with caplog.at_level(logging.DEBUG):
        location = form.holding(secret, place)
        frame = capture(location, "id")
        store.add_step("filter", [frame], _Frame(["id"]), logic={"args": [location]})
        assert "Q9Z" not in everything_said()
        assert "Q9Z" not in repr(lineage())
        assert "Q9Z" not in repr([store.sources, store.sinks, store.snapshot()])
    assert "Q9Z" not in caplog.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CREDENTIALS, SECRETS)
def test_no_credential_of_a_location_gets_out(template: str, secret: str) -> None:
    location = template.format(secret)
    say(f"see {location} for more", "id", capture(location, "id"))
    assert secret not in everything_said()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PERSONAL, ADDRESSES)
def test_no_address_of_a_person_gets_out(template: str, address: str) -> None:
    say("the author's own", address, capture(template.format(address), address))
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


def test_columns_are_sorted_after_an_address_in_them_is_hidden() -> None:
    """Their order would tell where the address stands in the alphabet."""
    for address in ("ann@example.org", "zoe@example.org"):
        frame = capture("/out", address)
        with describe("c", "", risk("r")):
            store.add_step("select", [frame], _Frame(["x"]), label=address)
            store.add_step("select", [frame], _Frame(["x"]), label="kept")
        record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
        assert {tuple(row["columns"]) for row in record["sinks"]} == {("***", "id")}
        assert record["risks"][0]["nodes"] == ["***", "kept"]
