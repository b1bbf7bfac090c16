"""The dashboard and the alerts: every metric and label in their expressions is there to be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from conformare.metrics import DeliveryCollector
from conformare_sink.monitoring.health import STATUSES, Health, status_registry
from conformare_sink.monitoring.metrics import SinkMetrics

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "deploy" / "grafana" / "conformare-sink.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DOCS = ROOT / "docs" / "operation" / "monitoring.md"

LANGUAGE = {
    *("sum", "max", "by", "and", "on", "le", "rate", "increase"),
    *("histogram_quantile", "label_values"),
}
OF_PROMETHEUS = {"up": set[str]()}
TARGET_LABELS = {"job", "instance"}
WORD = re.compile(
    r"""
      "(?:[^"\\]|\\.)*"                        # a text
    | \[[^\]]*\]                               # a range
    | \$\w+                                    # a variable of Grafana
    | (?P<word>[A-Za-z_]\w*)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def exposed() -> dict[str, set[str]]:
    """The labels of every metric of the sink and of jobs, by the name that expressions have."""
    metrics = SinkMetrics()
    metrics.lag({("conformare.runs", 0): 1})
    jobs = CollectorRegistry()
    jobs.register(DeliveryCollector())
    found: dict[str, set[str]] = {}
    for registry in (metrics.registry, status_registry(Health()), jobs):
        for family in text_string_to_metric_families(generate_latest(registry).decode()):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    # It has no sample before the first loss.
    return found | {"conformare_runs_lost_total": {"reason"}} | OF_PROMETHEUS


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of both files, with the title that it stands under."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def unknown_words(expression: str) -> set[str]:
    """Return the words of an expression that are neither the language's nor a metric or its label."""
    words = {found["word"] for found in WORD.finditer(expression) if found["word"]}
    known = exposed()
    labels = set().union(*(known.get(word, set()) for word in words)) | TARGET_LABELS
    return words - LANGUAGE - known.keys() - labels


@pytest.mark.parametrize(("title", "expression"), [*expressions()])
def test_an_expression_has_only_metrics_and_labels_that_exist(title: str, expression: str) -> None:
    """A panel of another metric would be empty for ever, and its alert silent."""
    assert unknown_words(expression) == set(), title
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("conformare_sink_lags > 0", {"conformare_sink_lags"}),
        ("sum by (grain) (conformare_sink_lag)", {"grain"}),
        ('conformare_sink_batches_total{topic="runs"}', {"topic"}),
        ("rat(conformare_sink_batches_total[5m])", {"rat"}),
    ],
)
def test_what_does_not_exist_is_found(expression: str, unknown: set[str]) -> None:
    """So that the test above means something."""
    assert unknown_words(expression) == unknown


def test_a_counter_is_never_shown_as_it_is() -> None:
    """It begins at zero with each start: only its rate or increase tells something."""
    for title, expression in expressions():
        if expression.startswith("label_values"):
            continue
        for metric in re.findall(r"\w+_(?:total|sum|count|bucket)\b", expression):
            inside = rf"(?:rate|increase)\({metric}(?:{{[^}}]*}})?\["
            assert re.search(inside, expression), title


def test_every_metric_of_the_sink_is_in_the_dashboard() -> None:
    """Nobody looks at one that is not."""
    shown = " ".join(expression for _, expression in expressions())
    families = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in exposed()}
    ours = {name for name in families if name.startswith("conformare_sink_")}
    assert {name for name in ours if name not in shown} == set()


def test_panels_do_not_overlap() -> None:
    """Grafana would push them about."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_an_alert_of_a_status_names_one_that_there_is() -> None:
    """It is compared as a text."""
    named = re.findall(r'status="([^"]*)"', ALERTS.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= set(STATUSES)


def test_the_documentation_says_what_to_do_for_every_alert() -> None:
    """And has no other."""
    section = DOCS.read_text(encoding="utf-8").split("\n## Alerts")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`Conformare.*?`) \|", section, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(r["alert"] for r in rules())
    for rule in rules():
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
