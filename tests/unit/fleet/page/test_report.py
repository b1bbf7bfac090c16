"""The report: one file, of a size that a browser bears."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from support.fleet.shop import KINDS, NOW, small_fleet

from conformare._errors import FleetError
from conformare.fleet import Filters, Fleet, RowStore, to_html, upstream_risks
from conformare.fleet.page import report, write_report


def parts(html: str) -> list[str]:
    """Return the headings of a report's parts."""
    return re.findall(r'<h2 class="title".*?<bdi>(.*?)</bdi></h2>', html)


def test_it_needs_no_other_file_and_no_network(shop: Fleet) -> None:
    """Nothing in it is loaded, and its own policy forbids to."""
    html = report(shop)
    assert not re.search(r"<(img|link|iframe|object|embed|form|base)\b", html)
    assert not re.search(r"<script[^>]+src|@import|url\(", html)
    assert "default-src 'none'" in html
    assert not re.search(r'\bstyle="', html)


def test_it_has_every_part(shop: Fleet) -> None:
    """And one for each pipeline, the most urgent first."""
    found = parts(report(shop, title="The shop"))
    assert found[:8] == [
        *("Overview", "Drift", "Expectations", "Open risks"),
        *("Sensitive columns", "Owners", "Lineage", "customers.deduplicate"),
    ]
    assert len(found) == 7 + 14


def test_to_html_takes_rows_and_writes_a_file(tmp_path: Path) -> None:
    """Of one pipeline, if one is named; with the risks that are inherited, if they are given."""
    tables, file = small_fleet(), tmp_path / "fleet.html"
    risks = upstream_risks(tables, ["s3://shop-clean/customers"])
    html = to_html(tables, file, title="<Shop>", pipeline="marketing.audience", upstream=risks)
    assert file.read_text(encoding="utf-8") == html
    assert "<title>&lt;Shop&gt;</title>" in html
    assert "Inherited risks" in parts(html)
    assert "privacy.reidentification" not in parts(html)
    assert "reidentification" in html
    assert "warehouse.stock" not in html


def test_to_html_of_nothing_says_so() -> None:
    """No run has been recorded yet."""
    assert "No run has been recorded yet." in to_html({}, title="Nothing")


def test_what_cannot_be_answered_is_told_in_one_line(tmp_path: Path, shop: Fleet) -> None:
    """A pipeline that is not there; a folder that is not there."""
    with pytest.raises(FleetError, match="has no pipeline 'none': correct the name"):
        report(shop, filters=Filters(pipeline="none"))
    with pytest.raises(FleetError, match=r"cannot be written to .*No such file"):
        write_report(shop, tmp_path / "none" / "fleet.html")


def test_a_report_counts_what_needs_a_person(tmp_path: Path, shop: Fleet) -> None:
    """As the command says it."""
    assert write_report(shop, tmp_path / "fleet.html") == 6
    filters = Filters(owner="logistics")
    assert write_report(shop, tmp_path / "fleet.html", filters=filters) == 0


def test_a_thousand_pipelines_of_thirty_runs_are_two_megabytes_at_most() -> None:
    """It says what it left out; each strip has another shape."""
    statuses = ("healthy", "degraded", "failed")
    runs = [
        {
            **small_run,
            "pipeline": f"team-{n % 20:02}.pipeline-{n:04}",
            "run_id": f"{n:016x}{run:016x}",
            "ts": NOW - timedelta(hours=30 - run),
            "status": statuses[n * run % 7 % 3],
        }
        for small_run in small_fleet(KINDS[:1])["runs"][:1]
        for n in range(1000)
        for run in range(30)
    ]
    owners = [
        {**row, "pipeline": run["pipeline"], "run_id": run["run_id"], "ts": run["ts"]}
        for row in small_fleet(KINDS[:1])["owners"][:2]
        for run in runs[29::30]
    ]
    fleet = Fleet(RowStore("a big one", {"runs": runs, "owners": owners}), now=NOW)
    html = report(fleet)
    assert len(html.encode()) <= 2_000_000
    assert html.count('class="strip"') > 1000
    left_out = re.search(r"(\d+) pipelines have a row without a part of its own", html)
    assert left_out is not None
    assert int(left_out[1]) + html.count("<article") - 7 == 1000


def test_hostile_texts_are_texts(hostile: Fleet) -> None:
    """No tag of theirs is in it."""
    html = report(hostile, title="<script>alert(0)</script>")
    assert html.count("<script") == 1
    assert not re.search(r"<img|<svg onload", html)
    assert 'href="javascript' not in html
