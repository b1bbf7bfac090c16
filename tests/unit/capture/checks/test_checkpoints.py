"""Results that the user has got himself are taken in every form that he may keep them in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from conformare.capture import record_expectations, store
from conformare.record import to_run_record

MEAN = "expect_column_mean_to_be_between"


def one(severity: str = "critical", *, success: bool = False, column: str = "amount") -> Any:
    """The result of one expectation, as `to_json_dict` returns it."""
    return {
        "success": success,
        "expectation_config": {"type": MEAN, "kwargs": {"column": column}, "severity": severity},
        "result": {"observed_value": 2.5},
        "exception_info": {"raised_exception": False},
        "meta": {},
    }


def described(**parts: Any) -> Any:
    """The result of one expectation, as `describe_dict` returns it."""
    result = {"observed_value": 2.5}
    kwargs = {"column": "amount"}
    return {
        "expectation_type": MEAN,
        "success": False,
        "kwargs": kwargs,
        "result": result,
    } | parts


def suite(*results: Any, asset: str | None = "orders") -> Any:
    """The result of a suite, as `to_json_dict` returns it."""
    meta = {"active_batch_definition": {"data_asset_name": asset}}
    return {"success": False, "results": list(results), "meta": meta}


def as_object(result: dict[str, Any]) -> Any:
    """The same result as an object of objects."""
    configuration = SimpleNamespace(**result["expectation_config"])
    return SimpleNamespace(**{**result, "expectation_config": configuration})


OBJECT = as_object(one())
SUITE_OBJECT = SimpleNamespace(**suite(OBJECT))
FORMS = {
    "result": (OBJECT, "(checkpoint)"),
    "result with its configuration as a dict": (SimpleNamespace(**one()), "(checkpoint)"),
    "suite": (SUITE_OBJECT, "orders"),
    "checkpoint": (SimpleNamespace(run_results={object(): SUITE_OBJECT}), "orders"),
    "dict of a result": (one(), "(checkpoint)"),
    "dict of a suite": (suite(one()), "orders"),
    "dict of a checkpoint": ({"run_results": {"a": SUITE_OBJECT}}, "orders"),
    "list": ([one()], "(checkpoint)"),
    "suite of no asset": (suite(one(), asset=None), "(checkpoint)"),
}
DESCRIBED = {
    "result": described(),
    "suite": {"success": False, "expectations": [described()]},
    "checkpoint": {"validation_results": [{"success": False, "expectations": [described()]}]},
}


def rows() -> list[dict[str, Any]]:
    """What has been recorded."""
    return to_run_record(store, "p")["expectations"]


@pytest.mark.parametrize("form", FORMS)
def test_a_result_is_recorded_in_every_form(form: str) -> None:
    result, node = FORMS[form]
    assert record_expectations(result, hard_severities=["critical"]) == 1
    (row,) = rows()
    assert dict(list(row.items())[3:]) == {
        "node": node,
        "expectation": MEAN,
        "column": "amount",
        "success": False,
        "hard": True,
        "severity": "critical",
        "observed": "2.5",
        "error": None,
        "missing_column": False,
    }


@pytest.mark.parametrize("form", DESCRIBED)
def test_a_described_result_has_no_severity(form: str) -> None:
    assert record_expectations(DESCRIBED[form], hard_severities="warning") == 1
    (row,) = rows()
    names = ("node", "expectation", "column", "success", "hard", "severity", "observed")
    assert tuple(row[name] for name in names) == (
        *("(checkpoint)", MEAN, "amount"),
        *(False, True, "warning", "2.5"),
    )


def test_results_belong_to_the_frame_that_was_checked(stub_frame: type[Any]) -> None:
    frame = stub_frame(["amount"])
    number = store.node_for(frame, "sales")
    assert record_expectations([suite(one()), suite(one(), asset="other")], frame=frame) == 2
    assert [row["node"] for row in rows()] == ["sales", "sales"]
    assert [row.node for row in store.snapshot().expectations] == [number, number]


def test_a_frame_that_cannot_be_marked_has_one_node_too() -> None:
    assert record_expectations([suite(one()), suite(one(), asset="other")], frame=object()) == 2
    assert [row["node"] for row in rows()] == ["<df1>", "<df1>"]


def test_without_a_frame_there_is_one_node_for_each_asset() -> None:
    several = [suite(one(), one()), suite(one(), asset="s3://key:secret@bucket/lines"), one()]
    assert record_expectations(several) == 4
    assert [row["node"] for row in rows()] == [
        *("orders", "orders"),
        *("s3://bucket/lines", "(checkpoint)"),
    ]
    assert to_run_record(store, "p")["runs"][0]["n_nodes"] == 3


def test_the_severity_may_be_an_argument() -> None:
    configuration = {"type": MEAN, "kwargs": {"severity": "info"}}
    record_expectations({"success": True, "expectation_config": configuration})
    assert rows()[0]["severity"] == "info"


def test_an_expectation_that_is_not_told_is_unknown() -> None:
    record_expectations(SimpleNamespace(success=True, expectation_config=None, result=None))
    assert (rows()[0]["expectation"], rows()[0]["success"]) == ("(unknown)", True)


def test_nothing_is_something_too() -> None:
    assert record_expectations([]) == record_expectations(suite()) == 0
    assert rows() == []


@pytest.mark.parametrize("wrong", [None, "checkpoint", 3, {}, object(), [one(), "x"], suite(None)])
def test_what_is_no_result_is_refused_as_a_whole(wrong: Any) -> None:
    with pytest.raises(TypeError, match="CheckpointResult"):
        record_expectations(wrong)
    content = store.snapshot()
    assert (content.expectations, content.nodes) == ((), ())


def test_the_refusal_tells_the_type_and_no_value() -> None:
    with pytest.raises(TypeError, match="or a list of those, not str") as refused:
        record_expectations("jane@example.org")
    assert "jane" not in str(refused.value)
