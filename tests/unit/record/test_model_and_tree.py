"""What was captured as a graph, and as a tree for a person."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from conformare.capture import describe, risk, store
from conformare.capture._lineage import Expectation
from conformare.record import build_model, describe_run


@pytest.fixture
def pipeline(stub_frame: Any) -> None:
    """A read, two steps in contexts, one outside, a write, a check and a risk."""
    orders, kept = stub_frame(["id", "email"]), stub_frame(["id", "email"])
    total, named = stub_frame(["n"]), stub_frame(["m"])
    store.add_source(
        orders, location="/in/orders", format="csv", reader="spark.read", label="orders"
    )
    with (
        describe("Clean", purpose="One row an order", definition_owner="ana"),
        risk("privacy.pii_exposure", mitigation="dropped later", owner="ben"),
    ):
        store.add_step("filter", [orders], kept, label="kept", same_columns=True)
    store.add_step("group_by.count", [kept], total, label="total")
    store.add_step("toDF", [total], named)
    store.add_sink(named, location="/out", format="delta", writer="spark", label="out", op="save")
    node = store.node_for(kept)
    store.add_expectations(
        [
            Expectation(node, "expect_x", "id", success=False, hard=True, severity="critical"),
            Expectation(node, "expect_y", None, None, hard=False, severity="low", error="skipped"),
        ]
    )


@pytest.mark.usefixtures("pipeline")
def test_the_tree_tells_everything_that_would_be_recorded() -> None:
    shown = io.StringIO()
    describe_run(file=shown)
    lines = shown.getvalue().splitlines()
    fingerprint = lines[4].partition("(implementation ")[2].rstrip(")")
    assert len(fingerprint) == 16
    assert lines == [
        "failed: 3 steps, 4 columns, 1 sensitive",
        "├─ sources (1)",
        "│  └─ orders: /in/orders (csv, spark.read), 2 columns",
        "├─ contexts (2)",
        f"│  ├─ Clean (implementation {fingerprint})",
        "│  │  ├─ purpose: One row an order",
        "│  │  ├─ owner: ana",
        "│  │  ├─ risks: privacy.pii_exposure",
        "│  │  └─ filter: orders → kept",
        "│  └─ (outside every context)",
        "│     ├─ group_by.count: kept → total",
        "│     └─ toDF: total → total.c1",
        "├─ sinks (1)",
        "│  └─ out: /out (delta, spark), 1 column",
        "├─ expectations (2)",
        "│  ├─ expect_x on id of kept: fails, hard",
        "│  └─ expect_y of kept: not evaluated: skipped",
        "├─ risks (1)",
        "│  └─ privacy.pii_exposure (high, mitigated, owned by ben)",
        "└─ owners (2)",
        "   ├─ ben: risk_mitigation of privacy.pii_exposure",
        "   └─ ana: context_owner of Clean",
    ]


def test_the_tree_of_nothing_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    describe_run()
    assert capsys.readouterr().out == "healthy: 0 steps, 0 columns\n"


@pytest.mark.usefixtures("pipeline")
def test_the_model_is_a_graph_of_plain_values() -> None:
    model = build_model()
    assert json.loads(json.dumps(model)) == model
    assert [(node["label"], node["kind"], node["columns"]) for node in model["nodes"]] == [
        ("orders", "source", ["id", "email"]),
        ("kept", "frame", ["id", "email"]),
        ("total", "frame", ["n"]),
        ("total.c1", "frame", ["m"]),
        ("out", "sink", ["m"]),
    ]
    assert model["nodes"][1]["sensitive"] == ["email"]
    assert model["edges"] == [
        {
            "from": 1,
            "to": 2,
            "op": "filter",
            "contexts": ["Clean"],
            "risks": ["privacy.pii_exposure"],
        },
        {"from": 2, "to": 3, "op": "group_by.count", "contexts": [], "risks": []},
        {"from": 3, "to": 4, "op": "toDF", "contexts": [], "risks": []},
        {"from": 4, "to": 5, "op": "save", "contexts": [], "risks": []},
    ]
