"""The overview: what needs attention today, then every pipeline with its newest runs."""

from __future__ import annotations

from collections import Counter

from conformare.fleet.page._cells import (
    age_cell,
    badge,
    owners_cell,
    pipeline_cell,
    strip_cell,
    text_of,
)
from conformare.fleet.page._model import Cell, Count, Counts, LazyRows, Page, Section, Table, Text
from conformare.fleet.page.views._ask import Ask, columns, filter_form
from conformare.fleet.page.views._lists import urgent_table
from conformare.fleet.questions import HEALTHS, Finding, Kind, PipelineHealth, findings, health

URGENT_SHOWN = 24
"""About so many findings stand before the pipelines."""
PIPELINES_SHOWN = 100
"""A page has so many pipelines; their strips are what a browser has to draw."""
_WORDS: dict[Kind, str] = {
    "failed": "failed",
    "drift": "drift to review",
    "stale": "stale",
    "unowned-critical": "critical without owner",
    "degraded": "degraded",
}


def overview_page(ask: Ask, pipelines_shown: int = PIPELINES_SHOWN) -> Page:
    """Return the overview.

    Args:
        ask: What for.
        pipelines_shown: Not more pipelines at once than these.
    """
    filters = ask.asked.filters()
    named = [one for one in health(ask.fleet, filters) if ask.asked.names(one)]
    healths = [one for one in named if ask.asked.has_health(one)]
    keys, shown = {one.key for one in named}, {one.key for one in healths}
    of_all = [one for one in findings(ask.fleet, filters) if (one.pipeline, one.env) in keys]
    found = [one for one in of_all if (one.pipeline, one.env) in shown]
    sections: list[Section] = [_counts(ask, of_all, named)]
    form = filter_form(ask, "q", "env", "status", "owner", "tag", "since")
    if form is not None:
        sections.append(form)
    if found or not ask.asked.is_filtered:
        sections.append(_urgent(ask, found))
    sections.append(pipelines_table(ask, healths, pipelines_shown))
    return Page("overview", "Overview", _lead(ask, found, healths), tuple(sections))


def pipelines_table(ask: Ask, healths: list[PipelineHealth], shown: int = PIPELINES_SHOWN) -> Table:
    """Return the pipelines with a strip of their newest runs."""
    rows = LazyRows(healths, lambda one: _row(ask, one))
    pages = max(1, -(-len(rows) // shown))
    page = min(ask.asked.page, pages) if ask.links.are_served else 1
    first = shown * (page - 1)
    note, more = "", []
    if pages > 1 and ask.links.are_served:
        note = f"{first + 1:,} to {min(first + shown, len(rows)):,} of {len(rows):,}."
        for text, other in (("Previous", page - 1), ("Next", page + 1)):
            if 1 <= other <= pages:
                more.append(Cell(text, href=ask.here(page=str(other))))
    elif pages > 1:
        note = f"The first {shown:,} of {len(rows):,}, the most urgent first."
    return Table(
        "pipelines",
        "Pipelines by environment",
        columns("Health", "Pipeline", "Newest runs", "~Newest", "~Streak", "Owners", "~Tags"),
        rows[first : first + shown],
        note=note,
        empty="No pipeline fits." if ask.asked.is_filtered else "No run has been recorded yet.",
        all_rows=rows,
        csv=ask.here(format="csv", table="pipelines", page=None) if rows else None,
        more=tuple(more),
        legend=True,
        stacks=True,
    )


def _row(ask: Ask, one: PipelineHealth) -> tuple[Cell, ...]:
    notes = []
    if one.is_stale and one.health != "stale":
        notes.append("stale too")
    if one.is_flapping:
        notes.append("flapping")
    return (
        badge(one.health, ", ".join(notes)),
        pipeline_cell(ask.links, one.pipeline, one.env),
        strip_cell(ask.links, one.pipeline, one.strip),
        age_cell(one.ts, ask.now),
        Cell(f"{one.streak} {one.strip[-1].health}"),
        owners_cell(ask.links, one.owners),
        Cell(text_of(one.tags)),
    )


def _urgent(ask: Ask, found: list[Finding]) -> Section:
    if not found:
        return Text("Nothing needs attention: nothing failed, drifted or is overdue.")
    return urgent_table(ask, found, "What needs attention", URGENT_SHOWN)


def _counts(ask: Ask, found: list[Finding], healths: list[PipelineHealth]) -> Counts:
    kinds, states = Counter(one.kind for one in found), Counter(one.health for one in healths)
    states["stale"] = sum(one.is_stale for one in healths)
    of_findings = tuple(
        Count(kinds[kind], words, kind, ask.here("findings", kind=kind, status=None, page=None))
        for kind, words in _WORDS.items()
        if kind in ("drift", "unowned-critical")
    )
    of_health = tuple(
        Count(
            states[state],
            state,
            state,
            ask.here(status=None if ask.asked.get("status") == state else state, page=None),
            is_current=ask.asked.get("status") == state,
        )
        for state in HEALTHS
    )
    return Counts("In numbers", (*of_health, *of_findings))


def _lead(ask: Ask, found: list[Finding], healths: list[PipelineHealth]) -> str:
    pipelines, envs = {one.pipeline for one in healths}, {one.env for one in healths}
    needy = len({one.pipeline for one in found})
    whole = "" if not ask.asked.is_filtered else " that fit the filters"
    return (
        f"{_many(len(pipelines), 'pipeline')}{whole}, {_many(len(envs), 'environment')}, "
        f"{_many(sum(one.runs for one in healths), 'run')}. "
        + (
            f"{_many(needy, 'pipeline')} need{'s' if needy == 1 else ''} attention."
            if needy
            else ""
        )
        + ("" if needy else "Nothing needs attention.")
    )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
