"""Whatever a result of Great Expectations holds, the record tells names, counts and aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformare.capture import record_expectations, store
from conformare.capture.checks._outcomes import Subject, part_of, severities, severity_of, shown

SECRET = "hunter2"  # noqa: S105 - to be found again
EMAIL = "jane.doe@example.org"
URL = f"s3://key:{SECRET}@bucket/path"
TYPES = (
    "expect_column_values_to_not_be_null",
    "expect_column_mean_to_be_between",
    "expect_column_max_to_be_between",
)

planted = st.sampled_from([SECRET, EMAIL, URL, f"{SECRET}\n", f"{EMAIL}: {SECRET}"])
# A secret that looks like a name cannot be told from one where a name is to be.
names = st.sampled_from([EMAIL, URL, *TYPES, "id", "email"])
numbers = st.integers(0, 9) | st.floats() | st.booleans() | st.none()


def anything(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON of any shape, made of some leaves."""
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(planted, inner, max_size=3),
        max_leaves=3,
    )


values = anything(planted | numbers)
named = anything(names | numbers)
tracebacks = st.lists(
    planted
    | st.sampled_from(
        [
            "Traceback (most recent call last):",
            '  File "x.py", line 1, in f',
            f"ValueError: {SECRET}",
            f"{SECRET}: {EMAIL}",
            f"{SECRET}.{SECRET}",
            'KeyError: The column "id" in BatchData does not exist',
        ]
    ),
    max_size=5,
).map("\n".join)
faults = st.fixed_dictionaries(
    {"raised_exception": values},
    optional={"exception_traceback": tracebacks | values, "exception_message": values},
)
single = st.fixed_dictionaries(
    {
        "success": numbers | values,
        "expectation_config": st.fixed_dictionaries(
            {"type": st.sampled_from(TYPES) | named},
            optional={
                "kwargs": st.fixed_dictionaries({"column": named, "severity": values}) | values,
                "severity": st.sampled_from(["critical", "info"]) | values,
                "meta": values,
            },
        )
        | values.filter(lambda value: not isinstance(value, Mapping)),
    },
    optional={
        "result": st.dictionaries(
            st.sampled_from(
                ["observed_value", "unexpected_count", "element_count", "unexpected_list"]
            ),
            values,
        )
        | values,
        "exception_info": faults | st.dictionaries(planted, faults, max_size=2) | values,
        "meta": values,
    },
)
suites = st.fixed_dictionaries(
    {"results": st.lists(single, min_size=1, max_size=2)},
    optional={
        "meta": st.fixed_dictionaries(
            {"active_batch_definition": st.fixed_dictionaries({"data_asset_name": names | named})}
        ),
        "statistics": values,
    },
)


def objects(value: Any) -> Any:
    """The same result made of objects instead of dicts, as far as its own keys go."""
    if not isinstance(value, dict):
        return value
    own = {name: objects(part) for name, part in value.items() if name == "expectation_config"}
    return SimpleNamespace(**{**value, **own}) if "success" in value else SimpleNamespace(**value)


@settings(max_examples=300)
@given(results=st.lists(suites | single, min_size=1, max_size=2), as_objects=st.booleans())
def test_no_secret_and_no_address_gets_into_the_record(
    results: list[dict[str, Any]], as_objects: bool
) -> None:
    store.clear()
    told = [objects(result) for result in results] if as_objects else results
    assert record_expectations(told) == sum(len(r.get("results", [r])) for r in results)
    content = store.snapshot()
    texts = [
        text
        for row in content.expectations
        for text in asdict(row).values()
        if isinstance(text, str)
    ]
    texts += [node.label for node in content.nodes]
    assert not [text for text in texts if SECRET in text or EMAIL in text]


def reduced(type_: str = TYPES[0], **outcome: Any) -> Any:
    """The row of a result."""
    subject = Subject.named(1, type_, "id", "critical")
    return subject.reduced({"success": True, "result": {}, **outcome}, frozenset({"critical"}))


@pytest.mark.parametrize(
    ("type_", "result", "observed"),
    [
        (TYPES[1], {"observed_value": 2.5}, "2.5"),
        (TYPES[1], {"observed_value": np.float64(2.5)}, "2.5"),
        (TYPES[1], {"observed_value": Decimal("2.50")}, "2.50"),
        (TYPES[1], {"observed_value": "2.5"}, None),
        (TYPES[1], {"observed_value": [2.5]}, None),
        (TYPES[2], {"observed_value": 41}, None),
        (TYPES[0], {"unexpected_count": 1, "element_count": 3}, "1 of 3 unexpected"),
        (TYPES[0], {"unexpected_count": np.int64(1), "element_count": 3}, "1 of 3 unexpected"),
        (TYPES[0], {"unexpected_count": 1}, None),
        (TYPES[0], {"unexpected_count": "1", "element_count": "3"}, None),
        (TYPES[0], {}, None),
        (TYPES[0], None, None),
    ],
)
def test_only_aggregates_are_observed(type_: str, result: Any, observed: str | None) -> None:
    assert reduced(type_, result=result).observed == observed


@pytest.mark.parametrize(
    ("success", "expected"),
    [
        (True, (True, False, None)),
        (False, (False, True, None)),
        (np.bool_(False), (False, True, None)),
        (None, (None, False, "it has no outcome")),
        ("false", (None, False, "it has no outcome")),
        (np.array([True, False]), (None, False, "it has no outcome")),
    ],
)
def test_only_a_failure_that_is_one_is_hard(success: Any, expected: Any) -> None:
    row = reduced(success=success)
    assert (row.success, row.hard, row.error) == expected


class MetricResolutionError(Exception):
    """What Great Expectations wraps around the exception of a metric."""


CHAINED = """Traceback (most recent call last):
  File "x.py", line 1, in f
TypeError: no number
jane: 3

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
great_expectations.exceptions.exceptions.MetricResolutionError: no number
jane
"""


@pytest.mark.parametrize(
    ("traceback", "cause"),
    [
        (CHAINED, "TypeError"),
        (f"{CHAINED}KeyError", "KeyError"),
        ("MetricResolutionError: jane", "Exception"),
        (None, "Exception"),
    ],
)
@pytest.mark.parametrize("of_a_metric", [True, False])
def test_of_an_exception_only_the_class_is_told(
    traceback: str | None, cause: str, of_a_metric: bool
) -> None:
    fault = {"raised_exception": True, "exception_traceback": traceback}
    row = reduced(success=False, exception_info={"metric": fault} if of_a_metric else fault)
    assert (row.success, row.hard, row.missing_column) == (None, False, False)
    assert row.error == f"it could not be evaluated ({cause})"


@pytest.mark.parametrize("part", ["exception_traceback", "exception_message"])
def test_a_column_that_is_missing_is_recognised(part: str) -> None:
    fault = {"raised_exception": True, part: 'Error: The column "x" in BatchData does not exist.'}
    row = reduced(success=False, exception_info={"metric": fault})
    assert (row.success, row.missing_column, row.error) == (None, True, "a column is missing")


def test_no_exception_is_no_fault() -> None:
    info = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
    assert reduced(exception_info=info).success is True


@pytest.mark.parametrize(
    ("type_", "column", "severity", "expected"),
    [
        (TYPES[0], "id", "CRITICAL", (TYPES[0], "id", "critical")),
        (TYPES[0], ["id"], "error", (TYPES[0], None, "error")),
        (EMAIL, EMAIL, EMAIL, ("(unknown)", "***", "warning")),
        (None, None, None, ("(unknown)", None, "none")),
    ],
)
def test_names_are_shown_where_they_look_like_names(
    type_: Any, column: Any, severity: Any, expected: tuple[Any, ...]
) -> None:
    subject = Subject.named(1, type_, column, severity)
    assert (subject.expectation, subject.column, subject.severity) == expected


def test_the_forms_of_a_result_are_read_alike() -> None:
    assert part_of({"a": 1}, "a") == part_of(SimpleNamespace(a=1), "a") == 1
    assert part_of({}, "a") is part_of(None, "a") is None
    critical = SimpleNamespace(value="critical")
    assert severity_of(SimpleNamespace(severity=critical)) == "critical"
    assert severity_of({"severity": "INFO"}) == "info"
    assert severity_of({"severity": "blocker"}) is severity_of(None) is None
    assert severities("Critical") == severities(["CRITICAL"]) == {"critical"}
    assert shown("orders.csv") == "orders.csv"
    assert shown(URL) == "s3://bucket/path"
