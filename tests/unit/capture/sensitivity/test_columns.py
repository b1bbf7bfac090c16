"""Column names are read as words; marks add to what the words say."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import types as T

from conformare.capture import (
    classify_column,
    mark_not_sensitive,
    mark_sensitive,
    reset_marks,
    scan_columns,
    store,
    unmark_sensitive,
)
from conformare.capture._lineage import Field
from conformare.capture._nested import columns_in
from conformare.capture.sensitivity._columns import sensitive_fields
from conformare.record import build_model, to_run_record

TEXT = T.StringType()


def schema_of(columns: dict[str, Any]) -> T.StructType:
    """Return a schema: `{…}` stands for a struct, `[…]` for an array, `(key, value)` for a map."""
    return T.StructType([T.StructField(name, _type_of(said)) for name, said in columns.items()])


def _type_of(said: Any) -> T.DataType:
    if isinstance(said, dict):
        return schema_of(said)
    if isinstance(said, list):
        return T.ArrayType(_type_of(said[0]))
    if isinstance(said, tuple):
        key, value = map(_type_of, said)
        return T.MapType(key, value)
    return TEXT


@pytest.mark.parametrize(
    ("name", "tag", "category", "severity"),
    [
        ("email", "email", "Contact", "high"),
        ("customer_email_address", "email", "Contact", "high"),
        ("customerEmail", "email", "Contact", "high"),
        ("phone_number", "phone", "Contact", "high"),
        ("full_name", "full_name", "Identity", "medium"),
        ("date_of_birth", "dob", "Identity", "high"),
        ("ssn", "ssn", "Government ID", "critical"),
        ("passportNumber", "gov_id", "Government ID", "high"),
        ("IBAN", "financial", "Financial", "high"),
        ("clientIP", "ip_address", "Online identifier", "medium"),
        ("home_address", "location", "Location", "medium"),
        ("diagnosis", "health", "Special category", "critical"),
        ("ethnicity", "protected_attribute", "Special category", "critical"),
        ("password", "credentials", "Credentials", "critical"),
    ],
)
def test_a_name_that_says_so_is_tagged(name: str, tag: str, category: str, severity: str) -> None:
    (found,) = classify_column(name)
    assert (found["tag"], found["category"], found["severity"]) == (tag, category, severity)
    assert found["source"] == "heuristic"
    assert 0 < found["confidence"] <= 1


@pytest.mark.parametrize(
    "name",
    ["id", "amount", "widget_count", "carrier", "flight", "trip_id", "shipment", "embrace", ""],
)
def test_a_name_that_only_contains_such_letters_is_not(name: str) -> None:
    assert classify_column(name) == []


def test_a_mark_counts_wherever_its_exact_name_occurs() -> None:
    mark_sensitive("tailnum", "email", tag="t", category="c", severity="low")
    scanned = scan_columns(["id", "tailnum", "Tailnum", "email"])
    assert {name: [tag["tag"] for tag in tags] for name, tags in scanned.items()} == {
        "tailnum": ["t"],
        "email": ["email", "t"],
    }
    assert scanned["tailnum"][0] == {
        "tag": "t",
        "category": "c",
        "severity": "low",
        "confidence": 1.0,
        "source": "manual",
    }
    assert classify_column("tailnum") == []


def test_marks_can_be_taken_back() -> None:
    mark_sensitive("a", "b", "c")
    unmark_sensitive("a", "never marked")
    assert list(scan_columns("abc")) == ["b", "c"]
    reset_marks()
    assert scan_columns("abc") == {}


def test_a_mark_silences_what_the_exact_name_suggests() -> None:
    mark_not_sensitive("email", "ssn")
    assert list(scan_columns(["email", "ssn", "Email", "phone"])) == ["Email", "phone"]
    assert [tag["tag"] for tag in classify_column("email")] == ["email"]


@pytest.mark.parametrize(
    "undo", [mark_sensitive, unmark_sensitive, lambda _: reset_marks()], ids=["mark", "un", "reset"]
)
def test_a_silencing_mark_can_be_taken_back(undo: Callable[[str], None]) -> None:
    mark_not_sensitive("email")
    undo("email")
    assert scan_columns(["email"])["email"][0]["tag"] == "email"


def test_of_two_marks_the_later_one_counts() -> None:
    mark_sensitive("a", "b")
    mark_not_sensitive("a")
    mark_sensitive("a", tag="again")
    mark_not_sensitive("b")
    assert {name: tags[0]["tag"] for name, tags in scan_columns("ab").items()} == {"a": "again"}


def test_what_is_not_sensitive_is_counted_nowhere(stub_frame: type[Any]) -> None:
    frame = stub_frame(["id", "email", "phone"])
    store.add_sink(frame, location="/l", format="delta", writer="spark", label="l", op="save")
    mark_not_sensitive("email")
    record = to_run_record(store, "p")
    (run,), (sink,) = record["runs"], record["sinks"]
    assert (run["sensitive_columns"], run["sensitive_written"], sink["n_sensitive"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("columns", "sensitive"),
    [
        ({"contact": {"email": 1, "city": 1}}, ["contact.email"]),
        ({"contacts": [{"email": 1}]}, ["contacts.email"]),
        ({"a": [[{"email": 1}]]}, ["a.email"]),
        ({"m": (1, {"email": 1})}, ["m.value.email"]),
        ({"m": ({"ssn": 1}, [{"email": 1}])}, ["m.key.ssn", "m.value.email"]),
        ({"a": {"b": {"c": {"phone": 1, "n": 1}}}}, ["a.b.c.phone"]),
        ({"x.y": {"e-mail": 1, "a`b": 1}}, ["`x.y`.`e-mail`"]),
        ({"s": {"Email": 1, "customerEmail": 1}}, ["s.Email", "s.customerEmail"]),
        ({"email": {"value": 1, "verified": 1}}, []),
        ({"customer": {"name": 1, "id": 1}}, ["customer.name"]),
        ({"product": {"name": 1, "id": 1}}, []),
        ({"ip": {"address": 1}}, ["ip.address"]),
        ({"private": (1, 1)}, []),
        ({"email": 1, "contact": 1}, []),
        ({"a": {}, "b": [1], "c": (1, 1)}, []),
    ],
)
def test_fields_inside_columns_count_like_columns(
    columns: dict[str, Any], sensitive: list[str]
) -> None:
    fields = columns_in(schema_of(columns)).nested
    assert [field.path for field in sensitive_fields(fields)] == sensitive


FIELDS = [
    Field("c.code", ("c", "code")),
    Field("d.code", ("d", "code")),
    Field("`a.b`.code", ("a.b", "code")),
    Field("c.email", ("c", "email")),
]


@pytest.mark.parametrize(
    ("marked", "unmarked", "sensitive"),
    [
        (["code"], [], [0, 1, 2, 3]),
        (["c.code"], [], [0, 3]),
        (["a.b.code"], [], [2, 3]),
        (["`a.b`.code"], [], [2, 3]),
        (["code"], ["d.code", "email"], [0, 2]),
        (["c.email"], ["email"], [3]),
        (["c"], ["Email"], [3]),
    ],
)
def test_a_mark_is_of_a_path_or_of_a_name(
    marked: list[str], unmarked: list[str], sensitive: list[int]
) -> None:
    mark_sensitive(*marked)
    mark_not_sensitive(*unmarked)
    assert sensitive_fields(FIELDS) == [FIELDS[position] for position in sensitive]


def test_a_field_of_a_written_frame_is_counted(stub_frame: type[Any]) -> None:
    schema = schema_of({"id": 1, "email": 1, "contact": {"email": 1, "phone": 1}})
    said: dict[str, Any] = {"format": "delta", "writer": "spark", "label": "l", "op": "save"}
    store.add_sink(stub_frame(), location="/l", columns=lambda: schema, **said)
    store.add_step("select", [stub_frame(["ssn"])], stub_frame(["ssn"]))
    mark_not_sensitive("phone")
    record = to_run_record(store, "p")
    (run,), (sink,) = record["runs"], record["sinks"]
    assert (run["sensitive_columns"], run["sensitive_written"], sink["n_sensitive"]) == (3, 2, 2)
    assert (run["n_columns"], sink["columns"]) == (4, ["contact", "email", "id"])
    (shown,) = [node for node in build_model()["nodes"] if node["kind"] == "sink"]
    assert shown["sensitive"] == ["email", "contact.email"]


def test_a_place_that_is_written_twice_has_the_fields_of_both(stub_frame: type[Any]) -> None:
    frame = stub_frame(["a"])
    place: Any = ("file", "function", 1, 1)
    for columns in ({"a": {"email": 1}}, {"a": {"ssn": 1}, "b": 1}):
        store.add_sink(
            frame,
            location="/l",
            format="delta",
            writer="spark",
            label="l",
            op="save",
            columns=functools.partial(schema_of, columns),
            place=place,
        )
    (sink,) = to_run_record(store, "p")["sinks"]
    assert (sink["columns"], sink["n_sensitive"]) == (["a", "b"], 2)


def test_fields_are_found_at_any_depth() -> None:
    deep = T.StructType()
    for level in range(100):
        deep = T.StructType([T.StructField(f"f{level}", deep), T.StructField("email", TEXT)])
    assert len(sensitive_fields(columns_in(deep).nested)) == 99
