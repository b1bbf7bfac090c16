"""The record: every grain in its order, each row what was captured, and the same every time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformare.capture import (
    Store,
    describe,
    describe_process,
    mark_sensitive,
    risk,
    store,
)
from conformare.capture._lineage import Expectation
from conformare.record import to_run_record
from conformare_schemas import CONTRACT_VERSION, RUN_GRAINS, row_fields

RUN: dict[str, Any] = {"run_id": "r1", "ts": "2026-01-02T03:04:05.000006Z"}
KEY = {"run_id": "r1", "pipeline": "p", "ts": "2026-01-02T03:04:05.000006Z"}
EMPTY_HASH = "4f53cda18c2baa0c"


def grain(name: str, **arguments: Any) -> list[dict[str, Any]]:
    """Return the rows of one grain without the run's key."""
    rows = to_run_record(store, "p", **RUN, **arguments)[name]
    assert all(row.items() >= KEY.items() for row in rows)
    return [{column: row[column] for column in list(row)[len(KEY) :]} for row in rows]


def check(*, success: bool | None, hard: bool = False) -> Expectation:
    """Return a result of a check of the store's first node."""
    return Expectation(1, "expect_x", "a", success, hard, "critical")


def test_an_empty_store_makes_a_healthy_record_of_every_grain() -> None:
    record = to_run_record(Store(), "p", **RUN)
    assert tuple(record) == RUN_GRAINS
    assert {name: len(rows) for name, rows in record.items() if rows} == {"runs": 1}
    (run,) = record["runs"]
    assert tuple(run) == (*KEY, *(field.name for field in row_fields("runs")))
    assert run["status"] == "healthy"
    assert run["schema_version"] == CONTRACT_VERSION
    assert {name: run[name] for name in ("env", "git_sha", "tags", "report_uri", "title")} == {
        "env": None,
        "git_sha": None,
        "tags": {},
        "report_uri": None,
        "title": "conformare run",
    }


def test_the_attributes_of_a_run_become_text() -> None:
    (run,) = grain(
        "runs",
        env="prod",
        git_sha="abc",
        tags=[("team", "risk"), ("n", 3), ("none", None)],
        report_uri="https://user:secret@host/r.html?sig=abc",
        title="t",
    )
    assert run["tags"] == {"team": "risk", "n": "3", "none": ""}
    assert run["report_uri"] == "https://host/r.html"
    assert (run["env"], run["git_sha"], run["title"]) == ("prod", "abc", "t")


def test_the_value_of_a_tag_is_hidden_where_its_name_is_that_of_a_secret() -> None:
    tags = {"db_password": "x", "apiKey": "x", "token": None, "token_count": 5, "team": "risk"}
    shown = to_run_record(Store(), "p", tags=tags)["runs"][0]["tags"]
    hidden = {"db_password": "***", "apiKey": "***", "token": ""}
    assert shown == {**hidden, "token_count": "5", "team": "risk"}


@pytest.mark.parametrize("tags", ["secret", 5, True, ["secret"], [("a", "secret", "b")], [5]])
def test_tags_that_are_no_pairs_are_refused(tags: Any) -> None:
    with pytest.raises(ValueError, match="tags must be a mapping, or pairs") as caught:
        to_run_record(Store(), "p", tags=tags)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ts", ["x" * 100_000, b"x" * 100_000, list(range(100_000))])
def test_an_error_about_a_time_quotes_no_more_of_it_than_tells_which(ts: Any) -> None:
    with pytest.raises(ValueError, match="ts must be a datetime or an ISO 8601 string") as caught:
        to_run_record(Store(), "p", ts=ts)
    assert len(str(caught.value)) < 200


def test_a_record_needs_a_pipeline() -> None:
    with pytest.raises(TypeError):
        to_run_record(Store())  # type: ignore[call-arg]  # the mistake
    with pytest.raises(ValueError, match="pipeline"):
        to_run_record(Store(), " ")


def test_reads_steps_and_writes_are_counted_and_named(stub_frame: Any) -> None:
    mark_sensitive("tailnum")
    raw, kept, joined = (
        stub_frame(["id", "email", "tailnum"]),
        stub_frame(["id", "email", "tailnum"]),
        stub_frame(["id", "tailnum"]),
    )
    store.add_source(raw, location="/in.csv", format="csv", reader="spark.read", label="in")
    store.add_step("filter", [raw], kept, same_columns=True)
    store.add_step("select", [kept], joined, label="small")
    store.add_sink(joined, location="/out", format="delta", writer="spark", label="out", op="save")
    assert grain("sources") == [
        {
            "node": "in",
            "location": "/in.csv",
            "format": "csv",
            "reader": "spark.read",
            "columns": ["id", "email", "tailnum"],
        }
    ]
    assert grain("sinks") == [
        {
            "node": "out",
            "location": "/out",
            "format": "delta",
            "writer": "spark",
            "columns": ["id", "tailnum"],
            "n_sensitive": 1,
        }
    ]
    (run,) = grain("runs")
    expected = {"n_nodes": 4, "n_operations": 2, "n_columns": 3, "n_sources": 1, "n_sinks": 1}
    assert run.items() >= expected.items()
    assert (run["sensitive_columns"], run["sensitive_written"]) == (2, 1)
    assert run["backends"] == ["spark"]
    assert (raw.looked_up, kept.looked_up, joined.looked_up) == (1, 0, 1)


def test_a_written_frame_without_a_step_has_its_columns(stub_frame: Any) -> None:
    frame = stub_frame(["b", "a", "email"])
    store.add_sink(frame, location="/o", format="csv", writer="spark", label="o", op="csv")
    (sink,) = grain("sinks")
    assert (sink["columns"], sink["n_sensitive"]) == (["a", "b", "email"], 1)


@pytest.mark.parametrize(
    ("checks", "status", "counts"),
    [
        ([check(success=True)], "healthy", (1, 0, 0, 0)),
        ([check(success=False), check(success=True)], "degraded", (2, 1, 0, 0)),
        ([check(success=False, hard=True)], "failed", (1, 1, 1, 0)),
        ([check(success=None)], "degraded", (1, 0, 0, 1)),
        ([check(success=None), check(success=False, hard=True)], "failed", (2, 1, 1, 1)),
    ],
)
def test_checks_decide_on_the_status(
    stub_frame: Any, checks: list[Expectation], status: str, counts: tuple[int, ...]
) -> None:
    store.add_source(stub_frame(["a"]), location="/i", format="csv", reader="r", label="in")
    store.add_expectations(checks)
    (run,) = grain("runs")
    names = ("ge_evaluated", "ge_failed", "ge_failed_hard", "ge_errored")
    assert (run["status"], tuple(run[name] for name in names)) == (status, counts)
    assert [row["node"] for row in grain("expectations")] == ["in"] * len(checks)


@pytest.mark.parametrize(
    ("declared", "status", "row"),
    [
        ({}, "degraded", ("high", False, False, [])),
        ({"owner": "joe"}, "degraded", ("high", False, True, ["joe"])),
        ({"mitigation": "masked"}, "healthy", ("medium", True, False, [])),
        ({"mitigation": "masked", "owner": "joe"}, "healthy", ("low", True, True, ["joe"])),
        ({"mitigation": " "}, "degraded", ("high", False, False, [])),
    ],
)
def test_a_risk_is_open_until_it_has_a_mitigation(
    declared: dict[str, Any], status: str, row: tuple[Any, ...]
) -> None:
    with risk("quality.outliers", **declared):
        pass
    (found,) = grain("risks")
    assert tuple(found[n] for n in ("governance", "mitigated", "owned", "owners")) == row
    assert found["n_occurrences"] == 0
    assert grain("runs")[0]["status"] == status


def test_a_risk_sums_up_all_its_occurrences(stub_frame: Any) -> None:
    a, b, c = stub_frame(), stub_frame(), stub_frame()
    with risk("ops.manual_step", mitigation="checked", owner="zoe"):
        store.add_step("filter", [a], b, label="b")
        with risk("ops.manual_step", severity="critical", owner="ann"):
            store.add_step("filter", [b], c, label="c")
    describe_process(risks="ops.manual_step")
    (row,) = grain("risks")
    assert row == {
        "risk_id": "ops.manual_step",
        "label": "A person has to step in",
        "category": "Operational",
        "severity": "critical",
        "governance": "low",
        "mitigated": True,
        "owned": True,
        "process": True,
        "owners": ["ann", "zoe"],
        "mitigations": ["checked"],
        "nodes": ["b", "c"],
        "n_occurrences": 3,
    }


def test_risks_are_sorted_by_governance_then_severity_then_appearance() -> None:
    with (
        risk("mild", severity="low"),
        risk("grave", severity="critical", mitigation="m", owner="o"),
        risk("first"),
        risk("second"),
    ):
        pass
    assert [row["risk_id"] for row in grain("risks")] == ["first", "second", "mild", "grave"]


def test_owners_say_what_for_and_in_which_role() -> None:
    with describe("load", definition_owner="dora"):
        pass
    with risk("a", owner="joe"), risk("b", mitigation="m", owner="joe"):
        pass
    with risk("b", owner="joe"):
        pass
    assert [tuple(row.values()) for row in grain("owners")] == [
        ("joe", "risk", "a", "risk_owner"),
        ("joe", "risk", "b", "risk_mitigation"),
        ("dora", "context", "load", "context_owner"),
    ]


def test_a_context_fingerprints_its_own_steps_and_all_risks_open_in_it(stub_frame: Any) -> None:
    a, b, c = stub_frame(), stub_frame(), stub_frame()
    with risk("outer"), describe("one", "why", risks="own", definition_owner="dora"):
        store.add_step("filter", [a], b, logic={"args": ["x > 1"]})
        with describe("two"):
            store.add_step("filter", [b], c, logic={"args": ["x > 1"]})
            store.add_sink(c, location="/o", format="csv", writer="spark", label="o", op="csv")
    with describe("none"):
        pass
    one, two, none = grain("contexts")
    assert (one["context_label"], one["purpose"], one["definition_owner"]) == ("one", "why", "dora")
    assert (one["n_steps"], two["n_steps"], none["n_steps"]) == (1, 1, 0)
    assert one["impl_hash"] == two["impl_hash"] != EMPTY_HASH
    assert one["risk_ids"] == two["risk_ids"] == ["outer", "own"]
    assert one["has_risks"]
    assert (none["impl_hash"], none["risk_hash"], none["has_risks"]) == (EMPTY_HASH,) * 2 + (False,)


def test_risks_reach_a_sink_from_the_nearest_place(stub_frame: Any) -> None:
    a, b, c = stub_frame(), stub_frame(), stub_frame()
    describe_process(risks=["everywhere", "far"])
    with describe("start"), risk("far", owner="joe"), risk("both", severity="critical"):
        store.add_step("filter", [a], b)
    store.add_step("filter", [b], c)
    with risk("both", severity="low", mitigation="m"):
        store.add_sink(c, location="/o", format="csv", writer="spark", label="o", op="csv")
    rows = grain("sink_risks")
    names = ("risk_id", "severity", "mitigated", "owners", "kind", "distance", "context_label")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("both", "low", True, [], "direct", 0, None),
        ("far", "medium", False, ["joe"], "indirect", 2, "start"),
        ("everywhere", "medium", False, [], "process", None, "(process)"),
    ]
    assert {(row["sink_node"], row["sink_location"]) for row in rows} == {("o", "/o")}


def test_the_same_store_and_arguments_make_the_same_bytes(stub_frame: Any) -> None:
    a, b = stub_frame(["z", "email"]), stub_frame(["y"])
    with describe("d", risks=["r2", "r1"]):
        store.add_step("select", [a], b)
    first = json.dumps(to_run_record(store, "p", **RUN))
    a.names.append("later")
    assert json.dumps(to_run_record(store, "p", **RUN)) == first


def test_a_second_run_after_clear_reports_nothing_of_the_first(stub_frame: Any) -> None:
    frame = stub_frame(["email"])
    with describe("first", risks="r"):
        store.add_step("filter", [stub_frame()], frame)
    store.clear()
    record = to_run_record(store, "p", **RUN)
    assert {name: len(rows) for name, rows in record.items() if rows} == {"runs": 1}
    store.add_sink(frame, location="/o", format="csv", writer="spark", label="o", op="csv")
    assert grain("sinks")[0]["columns"] == ["email"]
    assert grain("runs")[0]["n_nodes"] == 2
