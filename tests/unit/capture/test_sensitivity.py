"""Column names are read as words; marks add to what the words say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformare.capture import (
    classify_column,
    mark_not_sensitive,
    mark_sensitive,
    reset_marks,
    scan_columns,
    store,
    unmark_sensitive,
)
from conformare.record import to_run_record


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
