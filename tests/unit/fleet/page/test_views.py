"""The pages of a small fleet: what is on them, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.fleet.shop import KINDS, NOW, small_fleet

from conformare._errors import FleetError
from conformare.fleet import Fleet, RowStore
from conformare.fleet.page import views
from conformare.fleet.page._links import ReportLinks
from conformare.fleet.page._model import Counts, Facts, Graph, HeatMap, Lanes, Page, Table
from conformare.fleet.page._query import Asked
from conformare.fleet.page._strips import strip_paths

from .conftest import ask

RUN = "customers-deduplicate-prod-0028"
PAGES: list[tuple[Callable[[views.Ask], Page], dict[str, str]]] = [
    (views.overview_page, {}),
    (views.findings_page, {}),
    (views.drift_page, {}),
    (views.expectations_page, {}),
    (views.risks_page, {}),
    (views.owners_page, {}),
    (views.sensitive_page, {}),
    (views.lineage_page, {}),
    (views.lineage_page, {"location": "s3://shop-clean/orders"}),
    (views.impact_page, {}),
    (views.impact_page, {"run_id": RUN}),
]


def table(page: Page, name: str) -> list[list[str]]:
    """Return a table of a page as texts."""
    (found,) = (one for one in page.tables if one.name == name)
    return [[cell.text for cell in row] for row in found.rows]


def test_the_overview_has_first_what_needs_attention(shop: Fleet) -> None:
    """Most urgent first, each with its owner; then every pipeline."""
    page = views.overview_page(ask(shop))
    assert [one.name for one in page.tables] == ["findings", "pipelines"]
    assert [(row[0], row[1], row[3]) for row in table(page, "findings")] == [
        ("failed", "customers.deduplicate", "customer-data"),
        ("drift", "orders.clean", "orders-team"),
        ("drift", "marketing.audience", "growth"),
        ("stale", "finance.month_close", "finance-data"),
        ("unowned-critical", "customers.deduplicate", "nobody"),
        ("degraded", "marketing.audience", "growth"),
    ]
    assert [row[0] for row in table(page, "pipelines")] == [
        *("failed", "degraded", "stale", "unknown", "unknown"),
        *["healthy"] * 9,
    ]
    assert page.lead == "13 pipelines, 2 environments, 374 runs. 4 pipelines need attention."


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"env": "staging"}, ["returns.classify", "orders.clean"]),
        ({"owner": "growth"}, ["marketing.audience"]),
        ({"tag": "domain=ml"}, ["ml.churn_features", "ml.churn_scores"]),
        ({"status": "failed"}, ["customers.deduplicate"]),
        ({"status": "stale"}, ["finance.month_close"]),
        ({"q": "Orders INGEST"}, ["orders.ingest"]),
        ({"q": "growth"}, ["marketing.audience"]),
        ({"q": "tier=1", "env": "prod", "status": "failed"}, ["customers.deduplicate"]),
        ({"since": "1h"}, ["orders.clean", "orders.ingest"]),
        ({"q": "nothing has this"}, []),
    ],
)
def test_the_overview_is_filtered_by_its_url(
    shop: Fleet, asked: dict[str, str], names: list[str]
) -> None:
    """By environment, owner, tag, health, time and text; all of them together."""
    page = views.overview_page(ask(shop, **asked))
    assert [row[1] for row in table(page, "pipelines")] == names
    findings = [row[1] for row in table(page, "findings")] if len(page.tables) > 1 else []
    assert set(findings) <= set(names)


def test_of_very_many_findings_the_first_of_each_kind_are_shown() -> None:
    """None is hidden behind those of another kind; a link leads to all of one."""
    kinds = tuple(replace(kind, name=f"{kind.name}{n}") for n in range(20) for kind in KINDS[2:8])
    fleet = Fleet(RowStore("a big shop", small_fleet(kinds)), now=NOW)
    found = views.overview_page(ask(fleet)).tables[0]
    names = [row[0].text for row in found.rows]
    assert names == [
        kind
        for kind in ("failed", "drift", "stale", "unowned-critical", "degraded")
        for _ in range(4)
    ]
    assert found.note == "The first 4 of each kind, of 100 in all."
    assert (found.more[0].text, found.more[0].href) == ("All 20 failed", "/findings?kind=failed")
    assert found.all_rows is not None
    assert len(found.all_rows) == 100


def test_a_count_filters_and_stops_filtering(shop: Fleet) -> None:
    """Its link keeps what else is asked for."""

    def link(**asked: str) -> str | None:
        page = views.overview_page(ask(shop, **asked))
        (counts,) = (one for one in page.sections if isinstance(one, Counts))
        return next(one.href for one in counts.counts if one.label == "failed")

    assert link(env="prod") == "/?env=prod&status=failed"
    assert link(env="prod", status="failed") == "/?env=prod"


def test_a_long_table_has_pages(shop: Fleet) -> None:
    """And says where it is."""
    found = views.overview_page(ask(shop, page="2", env="prod"), pipelines_shown=5).tables[1]
    assert len(found.rows) == 5
    assert found.note == "6 to 10 of 12."
    assert [(one.text, one.href) for one in found.more] == [
        ("Previous", "/?page=1&env=prod"),
        ("Next", "/?page=3&env=prod"),
    ]
    beyond = views.overview_page(ask(shop, page="99", env="prod"), pipelines_shown=5).tables[1]
    assert len(beyond.rows) == 2


def test_a_strip_says_in_heights_letters_and_words_what_it_shows(shop: Fleet) -> None:
    """Nothing is told by colour alone."""
    page = views.overview_page(ask(shop, pipeline="customers.deduplicate"))
    strip = page.tables[1].rows[0][2]
    assert strip.text == "HHHHHHHHHHHHDDHHHHHHHHHHHHHDFF"
    assert strip.note == "30 runs: 2 failed, 3 degraded, 25 healthy"
    assert strip.strip[-1].title == "failed, 2026-11-29 04:30"
    assert strip.strip[-1].href == (
        "/run?id=customers-deduplicate-prod-0029&pipeline=customers.deduplicate"
    )


def test_a_strip_is_drawn_with_one_path_for_each_health() -> None:
    """The line's width is the bars' height, its dashes are the bars."""
    assert strip_paths(["healthy", "healthy", "failed", "healthy"]) == [
        ("failed", "M13 10h4"),
        ("healthy", "M1 16.5h10M19 16.5h4"),
    ]


def test_a_pipeline_has_its_runs_fingerprints_expectations_and_neighbours(shop: Fleet) -> None:
    """And what of it needs attention, before all else."""
    page = views.pipeline_page(ask(shop, "pipeline", name="marketing.audience"))
    assert (page.badge, page.title) == ("degraded", "marketing.audience")
    assert [one.name for one in page.tables] == [
        *("findings", "drift", "fingerprints", "risks", "owners", "neighbours", "runs")
    ]
    assert [row[:2] for row in table(page, "fingerprints")] == [
        ["apply the rules", "first seen"],
        ["read and check", "code alone"],
        ["read and check", "first seen"],
    ]
    assert table(page, "neighbours") == [
        ["reads", "s3://shop-clean/customers", "written by", "customers.deduplicate (prod)"],
        ["reads", "s3://shop-clean/orders", "written by", "orders.clean (prod)"],
        ["writes", "s3://shop-mart/audience", "", ""],
    ]
    (heat,) = (one for one in page.sections if isinstance(one, HeatMap))
    label, states = heat.rows[0]
    assert label == "expect_column_values_to_not_be_null(customer_id) on 9"
    assert states == ("holding",) * 25 + ("failing",) * 5
    (lanes,) = (one for one in page.sections if isinstance(one, Lanes))
    assert [len(lane.spans) for lane in lanes.lanes] == [1, 2]


def test_a_pipeline_is_shown_in_one_environment_with_links_to_the_others(shop: Fleet) -> None:
    """The environment is in the URL."""
    page = views.pipeline_page(ask(shop, "pipeline", name="orders.clean", env="staging"))
    assert page.lead == "Environment: staging."
    assert "orders.clean&env=prod" in str(page.sections[0])


def test_a_run_has_what_changed_and_every_grain(shop: Fleet) -> None:
    """What changed comes first."""
    page = views.run_page(ask(shop, "run", id=RUN))
    assert page.badge == "failed"
    assert table(page, "changes") == [
        ["run", "status", "degraded", "failed"],
        [
            "expectation",
            "expect_column_values_to_be_unique(customer_id) on 9",
            "holds",
            "does not hold",
        ],
        [
            "expectation",
            "expect_column_values_to_not_be_null(customer_id) on 9",
            "does not hold",
            "holds",
        ],
        [
            "expectation",
            "expect_table_row_count_to_be_between() on 9",
            "could not be evaluated",
            "holds",
        ],
    ]
    assert [one.name for one in page.tables[1:]] == [
        *("contexts", "risks", "sources", "sinks", "expectations", "owners", "sink_risks")
    ]
    facts = dict(next(one for one in page.sections if isinstance(one, Facts)).facts)
    assert facts["Report"].href == f"https://reports.shop.example/{RUN}.html"


def test_an_owner_has_everything_that_is_theirs(shop: Fleet) -> None:
    """What needs them comes first."""
    page = views.owner_page(ask(shop, "owner", name="growth"))
    assert [row[0] for row in table(page, "findings")] == ["drift", "degraded"]
    assert {row[2] for row in table(page, "owned")} == {
        *("read and check", "apply the rules"),
        *("fairness.age_bias", "privacy.purpose_limitation"),
    }


def test_the_lineage_is_one_hop_each_way_and_more_by_click(shop: Fleet) -> None:
    """What is drawn is in the table too."""
    page = views.lineage_page(ask(shop, "lineage", pipeline="finance.daily_revenue"))
    (graph,) = (one for one in page.sections if isinstance(one, Graph))
    names = {node["label"].split("\n")[0] for node in graph.nodes}
    assert names == {
        *("finance.daily_revenue", "s3://shop-clean/orders", "s3://shop-mart/revenue"),
        *("orders.clean", "marketing.audience", "ml.churn_features", "warehouse.reorder"),
        "finance.month_close",
    }
    assert len(table(page, "edges")) == len(graph.edges)
    wider = views.lineage_page(ask(shop, "lineage", pipeline="finance.daily_revenue", hops="2"))
    assert len(table(wider, "edges")) > len(graph.edges)
    also = views.lineage_page(
        ask(shop, "lineage", pipeline="finance.daily_revenue", also="s3://shop-mart/close")
    )
    assert len(table(also, "edges")) == len(graph.edges) + 1


def test_impact_tells_distance_and_owners(shop: Fleet) -> None:
    """Nearest first."""
    page = views.impact_page(ask(shop, "impact", pipeline="ml.churn_features"))
    assert [row[:3] for row in table(page, "impact")] == [
        ["0", "location", "s3://shop-mart/churn_features"],
        ["1", "pipeline", "ml.churn_scores"],
        ["1", "location", "s3://shop-mart/churn_scores"],
    ]
    up = views.impact_page(ask(shop, "impact", pipeline="finance.daily_revenue", direction="up"))
    assert "orders.ingest" in [row[2] for row in table(up, "impact")]


@pytest.mark.parametrize(
    ("page", "asked", "said"),
    [
        (views.pipeline_page, {"name": "nobody's"}, 'has no pipeline "nobody\'s"'),
        (views.run_page, {"id": "none"}, "has no run 'none'"),
        (views.owner_page, {"name": "nobody"}, "names the owner 'nobody'"),
        (views.lineage_page, {"pipeline": "none"}, "has no pipeline 'none'"),
        (views.impact_page, {"location": "none"}, "no newest run reads or writes 'none'"),
        (views.findings_page, {"kind": "none"}, "no findings of kind 'none'"),
        (views.overview_page, {"since": "soon"}, "'soon' is not a time"),
        (views.sensitive_page, {"as_of": "soon"}, "'soon' is not a time"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    shop: Fleet, page: Callable[[views.Ask], Page], asked: dict[str, str], said: str
) -> None:
    """With what to do about it."""
    with pytest.raises(FleetError, match=said) as told:
        page(ask(shop, "", **asked))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("page", "asked"), PAGES[:-1])
def test_an_empty_store_has_every_page(
    page: Callable[[views.Ask], Page], asked: dict[str, str]
) -> None:
    """Except of what it does not have."""
    empty = Fleet(RowStore("nothing", {}))
    made = page(ask(empty, "", **asked))
    assert all(not one.rows and one.empty for one in made.tables)


@pytest.mark.parametrize(("page", "asked"), PAGES)
def test_a_report_has_links_to_its_own_parts_alone(
    shop: Fleet, page: Callable[[views.Ask], Page], asked: dict[str, str]
) -> None:
    """Nobody answers a query in a file."""
    made = page(views.Ask(shop, Asked.of(asked.items(), shop.now), ReportLinks()))
    hrefs = [cell.href for one in made.tables for row in one.rows for cell in row]
    assert not any(hrefs)
    assert not any(isinstance(one, Table) and one.csv for one in made.sections)
