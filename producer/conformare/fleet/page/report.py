"""The report: a fleet as one file, for a mail or an archive."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from conformare._errors import FleetError
from conformare.fleet._defaults import DEFAULT_TITLE
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet.page._cells import badge, plain
from conformare.fleet.page._links import ReportLinks
from conformare.fleet.page._model import Cell, Page
from conformare.fleet.page._query import Asked
from conformare.fleet.page._render import BADGES, static_markup, templates
from conformare.fleet.page.views import (
    Ask,
    drift_page,
    expectations_page,
    lineage_page,
    overview_page,
    owners_page,
    page_of_pipeline,
    risks_page,
    sensitive_page,
)
from conformare.fleet.page.views._ask import table
from conformare.fleet.questions import findings, health
from conformare.fleet.stores import PipelineKey

DETAILED = 100
"""Not more pipelines than these have a part of their own, the most urgent first."""
LARGEST_BYTES = 1_600_000
"""About so many bytes are pipelines: a row takes some, a part of its own takes many."""
ROW_BYTES = 1_300
LEAST_DETAIL_BYTES = 100_000
PIPELINES = 1_000
"""So many pipelines are rows of a report."""
ROWS = 100
"""So many rows of any other table are in a report."""
_FIXED = {"served": False, "level": 3, "badges": BADGES}
"""What every template of a report is given."""


def write_report(
    fleet: Fleet, path: Path, *, title: str = DEFAULT_TITLE, filters: Filters = EVERYTHING
) -> int:
    """Write a report of a fleet as one HTML file.

    Args:
        fleet: The fleet.
        path: Where to; a file that is there is replaced.
        title: Its heading.
        filters: Which pipelines.

    Returns:
        How many findings in it need attention.

    Raises:
        FleetError: The file cannot be written.
    """
    write_file(path, report(fleet, title=title, filters=filters))
    return len(findings(fleet, filters))


def report(
    fleet: Fleet,
    *,
    title: str = DEFAULT_TITLE,
    filters: Filters = EVERYTHING,
    upstream: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Return a report of a fleet as HTML.

    Args:
        fleet: The fleet.
        title: Its heading.
        filters: Which pipelines.
        upstream: From `upstream_risks`: the risks that are inherited from some locations.

    Raises:
        FleetError: There is no such pipeline.
    """
    healths = health(fleet, filters)
    if filters.pipeline is not None and not healths:
        raise FleetError(
            f"{fleet.store.place} has no pipeline {filters.pipeline!r}: correct the name"
        )
    candidates = {one.key: f"p-{number}" for number, one in enumerate(healths[:DETAILED], 1)}
    ask = Ask(fleet, _asked(filters, fleet), ReportLinks(candidates), rows_shown=ROWS)
    articles = dict(_articles(ask, candidates))
    ask = replace(ask, links=ReportLinks({key: candidates[key] for key in articles}))
    pages = [
        overview_page(ask, PIPELINES),
        drift_page(ask),
        expectations_page(ask),
        risks_page(ask),
        *([] if upstream is None else [_inherited(ask, upstream)]),
        sensitive_page(ask),
        owners_page(ask),
        lineage_page(ask),
    ]
    left_out = len({one.pipeline for one in healths if one.key not in articles})
    style, script = static_markup("page.css"), static_markup("report.js")
    return (
        templates()
        .get_template("report.html")
        .render(
            **_FIXED,
            title=title,
            pages=[replace(page, anchor=page.name) for page in pages],
            articles=articles.values(),
            place=fleet.store.place,
            now=fleet.now,
            left_out=f"{left_out:,} pipelines have a row without a part of its own; "
            "`conformare fleet serve` shows all."
            if left_out > 0
            else "",
            style=style,
            script=script,
            style_digest=_digest(style),
            script_digest=_digest(script),
        )
    )


def write_file(path: Path, html: str) -> None:
    """Write a report into a file.

    Args:
        path: Where to; a file that is there is replaced.
        html: The report.

    Raises:
        FleetError: It cannot be written.
    """
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as exc:
        raise FleetError(
            f"the report cannot be written to {path} ({exc.strerror}): name another file"
        ) from exc


def _articles(ask: Ask, anchors: Mapping[PipelineKey, str]) -> Iterator[tuple[PipelineKey, Markup]]:
    """Yield the parts of the first pipelines as markup, until they are many bytes."""
    rows = min(len(ask.fleet.newest()), PIPELINES)
    left = max(LEAST_DETAIL_BYTES, LARGEST_BYTES - ROW_BYTES * rows)
    template = templates().get_template("article.html")
    for key, anchor in anchors.items():
        page = replace(page_of_pipeline(ask, key), anchor=anchor)
        markup = template.render(**_FIXED, page=page)
        left -= len(markup.encode())
        if left < 0:
            return
        yield key, Markup(markup)  # noqa: S704 - a template of ours made it


def _asked(filters: Filters, fleet: Fleet) -> Asked:
    values = {
        "pipeline": filters.pipeline,
        "env": filters.env,
        "owner": filters.owner,
        "since": filters.since.isoformat() if filters.since else None,
    }
    return Asked(
        {name: value for name, value in values.items() if value is not None},
        tags=tuple(f"{name}={value}" for name, value in filters.tags.items()),
        now=fleet.now,
    )


def _inherited(ask: Ask, upstream: Sequence[Mapping[str, Any]]) -> Page:
    rows = [
        (
            Cell(str(place["location"]), code=True),
            badge(str(risk["severity"])),
            Cell(str(risk["label"])),
            Cell(str(risk["kind"])),
            plain(risk["distance"]),
            plain(risk["owners"]),
            Cell("yes" if risk["mitigated"] else "no"),
            plain(risk["seen_in"]),
        )
        for place in upstream
        for risk in place["risks"]
    ]
    titles = (
        "Location",
        "Severity",
        "Risk",
        "How",
        "#Distance",
        "Owners",
        "Mitigated",
        "Seen in",
    )
    empty = "None of the locations carries a risk."
    made = table(ask, "inherited", "Inherited risks", titles, rows, empty=empty)
    return Page("inherited", "Inherited risks", "", (made,))


def _digest(text: str) -> str:
    """Return what a Content-Security-Policy names an inline script or style by."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
