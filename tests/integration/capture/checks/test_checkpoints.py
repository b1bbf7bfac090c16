"""Results of the installed Great Expectations are understood, in every form that it gives them."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from conformare.capture import record_expectations, store
from conformare.record import to_run_record

FRAME = pd.DataFrame({"id": [1, 2, 3], "email": ["a@example.org", "b@example.org", None]})
MEAN = "expect_column_mean_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"


@pytest.fixture(scope="module")
def checkpoint_result() -> Any:
    """What a user's checkpoint on a frame returns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Great Expectations uses deprecated modules
        gx = importlib.import_module("great_expectations")
        gxe = importlib.import_module("great_expectations.expectations")
        context = gx.get_context(mode="ephemeral")
        asset = context.data_sources.add_pandas("users").add_dataframe_asset("people.csv")
        everything = asset.add_batch_definition_whole_dataframe("all")
        rules = context.suites.add(gx.ExpectationSuite("rules"))
        for expectation in (
            gxe.ExpectColumnValuesToNotBeNull(column="email", severity="warning"),
            gxe.ExpectColumnMeanToBeBetween(column="id", min_value=0, severity="info"),
            gxe.ExpectColumnMeanToBeBetween(column="email", min_value=0),
            gxe.ExpectColumnMaxToBeBetween(column="id", max_value=2),
            gxe.ExpectColumnDistinctValuesToBeInSet(column="email", value_set=["q"]),
            gxe.ExpectColumnPairValuesToBeEqual(column_A="id", column_B="nothing"),
        ):
            rules.add_expectation(expectation)
        definition = gx.ValidationDefinition(name="v", data=everything, suite=rules)
        context.validation_definitions.add(definition)
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(name="c", validation_definitions=[definition])
        )
        return checkpoint.run(batch_parameters={"dataframe": FRAME})


def suite_of(result: Any) -> Any:
    """The only suite of a checkpoint's result."""
    (suite,) = result.run_results.values()
    return suite


FORMS: dict[str, Callable[[Any], Any]] = {
    "checkpoint": lambda result: result,
    "dict of a checkpoint": lambda result: result.dict(),
    "suite": suite_of,
    "json of a suite": lambda result: json.loads(json.dumps(suite_of(result).to_json_dict())),
    "results": lambda result: suite_of(result).results,
    "json of results": lambda result: [one.to_json_dict() for one in suite_of(result).results],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(checkpoint_result: Any, form: str) -> None:
    told = FORMS[form](checkpoint_result)
    assert record_expectations(told, hard_severities="critical") == 6
    record = to_run_record(store, "p")
    rows = record["expectations"]
    names = ("expectation", "column", "success", "hard", "severity", "observed", "error")
    by_check = {tuple(row[name] for name in names) for row in rows}
    assert by_check == {
        (NOT_NULL, "email", False, False, "warning", "1 of 3 unexpected", None),
        (MEAN, "id", True, False, "info", "2.0", None),
        (MEAN, "email", None, False, "critical", None, "it could not be evaluated (TypeError)"),
        ("expect_column_max_to_be_between", "id", False, True, "critical", None, None),
        (
            *("expect_column_distinct_values_to_be_in_set", "email"),
            *(False, True, "critical", None, None),
        ),
        (
            *("expect_column_pair_values_to_be_equal", None),
            *(None, False, "critical", None, "a column is missing"),
        ),
    }
    assert [row["expectation"] for row in rows if row["missing_column"]] == [
        "expect_column_pair_values_to_be_equal"
    ]
    asset = "(checkpoint)" if "results" in form else "people.csv"
    assert {row["node"] for row in rows} == {asset}
    assert "example.org" not in str(record)
    assert (record["runs"][0]["status"], record["runs"][0]["ge_errored"]) == ("failed", 2)


@pytest.mark.parametrize("whole", [True, False])
def test_a_description_tells_what_it_holds(checkpoint_result: Any, whole: bool) -> None:
    result = checkpoint_result if whole else suite_of(checkpoint_result)
    assert record_expectations(json.loads(json.dumps(result.describe_dict()))) == 6
    rows = to_run_record(store, "p")["expectations"]
    assert {row["severity"] for row in rows} == {"warning"}
    assert [row["observed"] for row in rows if row["success"]] == ["2.0"]
    assert "example.org" not in str(rows)


def test_the_frame_may_be_any(checkpoint_result: Any) -> None:
    frame = FRAME.copy()
    assert record_expectations(checkpoint_result, frame=frame) == 6
    assert record_expectations(checkpoint_result, frame=frame) == 6
    record = to_run_record(store, "p")
    assert {row["node"] for row in record["expectations"]} == {"<df1>"}
    assert record["runs"][0]["n_nodes"] == 1
