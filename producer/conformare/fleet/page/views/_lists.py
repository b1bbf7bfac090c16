"""Pages that list one kind of answer: findings, drift, expectations, risks, sensitive columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from conformare._errors import FleetError
from conformare.fleet.page._cells import (
    age_cell,
    badge,
    location_cell,
    owners_cell,
    pipeline_cell,
    pipelines_cell,
    plain,
    run_cell,
    several,
    short_run,
    time_cell,
)
from conformare.fleet.page._model import Acknowledgement, Cell, LazyRows, Page, Section, Table
from conformare.fleet.page._query import time_of
from conformare.fleet.page.views._ask import Ask, filter_form, table
from conformare.fleet.questions import (
    KINDS,
    RATE_DAYS,
    Drift,
    ExpectationState,
    Finding,
    OpenRisk,
    SensitiveSink,
    drift,
    end_of,
    expectations,
    findings,
    open_risks,
    sensitive,
)

HASH_SHOWN = 8
"""So many characters of a fingerprint are shown: enough to tell two apart."""
_FILTERS = ("q", "pipeline", "env", "owner", "tag", "since")


def findings_page(ask: Ask) -> Page:
    """Return what needs attention, all of it or of one kind."""
    kind = ask.asked.get("kind")
    kinds = [one for one in KINDS if one == kind] if kind else list(KINDS)
    if not kinds:
        raise FleetError(f"there are no findings of kind {kind!r}: take one of {', '.join(KINDS)}")
    found = [
        one
        for one in findings(ask.fleet, ask.asked.filters(), kinds)
        if ask.asked.has_text(one.pipeline, one.env, one.subject, one.text, *one.owners)
    ]
    title = f"What needs attention: {kind}" if kind else "What needs attention"
    return _page(ask, "findings", title, "", findings_table(ask, found, "Findings"))


def findings_table(ask: Ask, found: Sequence[Finding], caption: str) -> Table:
    """Return findings as a table."""
    rows = LazyRows(
        found,
        lambda one: (
            badge(one.kind),
            pipeline_cell(ask.links, one.pipeline, one.env),
            Cell(one.text),
            owners_cell(ask.links, one.owners),
            age_cell(one.since, ask.now),
            run_cell(ask.links, one.run_id, one.pipeline),
        ),
    )
    titles = ("Kind", "Pipeline", "What", "Owner", "Since", "~Run")
    return replace(table(ask, "findings", caption, titles, rows), stacks=True)


def urgent_table(ask: Ask, found: Sequence[Finding], caption: str, shown: int) -> Table:
    """Return findings as a table; of very many, the first of each kind, with links to the others.

    Args:
        ask: What for.
        found: The findings, most urgent first.
        caption: What they are.
        shown: Not many more than so many.
    """
    whole = findings_table(ask, found, caption)
    if len(found) <= shown:
        return whole
    kinds = Counter(one.kind for one in found)
    each = max(1, shown // len(kinds))
    first = [one for kind in kinds for one in [o for o in found if o.kind == kind][:each]]
    links = [
        Cell(f"All {number:,} {kind}", href=ask.here("findings", kind=kind, page=None))
        for kind, number in kinds.items()
        if number > each
    ]
    return replace(
        whole,
        rows=findings_table(ask, first, caption).rows,
        note=f"The first {each} of each kind, of {len(found):,} in all.",
        more=tuple(links) if ask.links.are_served else (),
    )


def drift_page(ask: Ask) -> Page:
    """Return the drifts to review; with `all`, the settled ones too."""
    with_settled = ask.asked.get("all") is not None
    found = [
        one
        for one in drift(ask.fleet, ask.asked.filters(), open_only=not with_settled)
        if ask.asked.has_text(one.pipeline, one.env, one.context_label, *one.owners)
    ]
    text, other = (
        ("Only those to review", None) if with_settled else ("Those that are settled too", "1")
    )
    lead = (
        "The code of a context changed between two runs, and the risks that it declares did not. "
        "Look at the change; then declare other risks, or acknowledge it."
    )
    made = drift_table(ask, found, "Drift" if with_settled else "Drift to review")
    href = ask.here(all=other)
    more = (Cell(text, href=href),) if href else ()
    return _page(ask, "drift", "Drift", lead, replace(made, more=more))


def drift_table(ask: Ask, found: list[Drift], caption: str) -> Table:
    """Return drifts as a table, with a form for each that is open."""
    rows = LazyRows(found, lambda one: _drift_row(ask, one))
    titles = (
        "Pipeline",
        "Context",
        "Since",
        "Owner",
        "Review" if ask.links.are_served else "State",
        "~Runs",
        "~Code",
        "~Commit",
        "~Risks",
    )
    empty = "No drift waits for a review."
    return replace(table(ask, "drift", caption, titles, rows, empty=empty), stacks=True)


def _drift_row(ask: Ask, one: Drift) -> tuple[Cell, ...]:
    runs = [short_run(ask.links, run, one.pipeline) for run in (one.from_run, one.to_run)]
    form = Acknowledgement(one.pipeline, one.to_run, one.context_label)
    state = badge("open" if one.is_open else "settled")
    return (
        pipeline_cell(ask.links, one.pipeline, one.env),
        Cell(one.context_label),
        age_cell(one.to_ts, ask.now),
        owners_cell(ask.links, one.owners),
        replace(state, form=form) if one.is_open and ask.links.are_served else state,
        several([runs[0], Cell("to"), runs[1]], f"{one.from_run} to {one.to_run}"),
        Cell(f"{one.from_impl_hash[:HASH_SHOWN]} → {one.to_impl_hash[:HASH_SHOWN]}", code=True),
        plain(one.git_sha and one.git_sha[:HASH_SHOWN], code=True),
        Cell(", ".join(one.risk_ids) or ("yes" if one.has_risks else "none")),
    )


def expectations_page(ask: Ask) -> Page:
    """Return how expectations stand; of one state with `state`."""
    state = ask.asked.get("state")
    found = [
        one
        for one in expectations(ask.fleet, ask.asked.filters())
        if state in (None, one.state)
        and ask.asked.has_text(one.pipeline, one.env, one.expectation, one.column, *one.owners)
    ]
    lead = (
        f"As of the newest runs. The rate is the share of answers of the last {RATE_DAYS} days that "
        "did not hold."
    )
    made = expectations_table(ask, found, "Expectations, those that fail first")
    return _page(ask, "expectations", "Expectations", lead, made, "state")


def expectations_table(ask: Ask, found: list[ExpectationState], caption: str) -> Table:
    """Return how expectations stand as a table."""
    rows = LazyRows(
        found,
        lambda one: (
            badge(one.state, "hard" if one.hard else ""),
            pipeline_cell(ask.links, one.pipeline, one.env),
            Cell(one.expectation, code=True, note=one.column or ""),
            Cell("" if one.failure_rate is None else f"{one.failure_rate:.0%}"),
            Cell(f"{one.asked:,}", note=f"{one.errored:,} errored" if one.errored else ""),
            owners_cell(ask.links, one.owners),
            Cell(one.error or one.observed or ""),
            run_cell(ask.links, one.run_id, one.pipeline),
        ),
    )
    titles = (
        "State",
        "Pipeline",
        "Expectation",
        "#Rate",
        "~#Asked",
        "Owner",
        "~Observed",
        "~Run",
    )
    return table(
        ask,
        "expectations",
        caption,
        titles,
        rows,
        empty="The newest runs have no expectations.",
    )


def risks_page(ask: Ask) -> Page:
    """Return the risks that nobody owns or mitigates."""
    found = [
        one
        for one in open_risks(ask.fleet, ask.asked.filters())
        if ask.asked.has_text(one.pipeline, one.env, one.risk_id, one.label, *one.owners)
    ]
    lead = "Risks of the newest runs that nobody mitigates, or nobody owns; most severe first."
    return _page(ask, "risks", "Open risks", lead, risks_table(ask, found, "Open risks"))


def risks_table(ask: Ask, found: list[OpenRisk], caption: str) -> Table:
    """Return open risks as a table."""
    rows = LazyRows(
        found,
        lambda one: (
            badge(one.severity),
            Cell(one.label, note=one.risk_id if one.label != one.risk_id else ""),
            pipeline_cell(ask.links, one.pipeline, one.env),
            Cell("mitigated" if one.mitigated else "not mitigated"),
            owners_cell(ask.links, one.owners),
            run_cell(ask.links, one.run_id, one.pipeline),
        ),
    )
    titles = ("Severity", "Risk", "Pipeline", "Mitigation", "Owner", "~Run")
    empty = "Every risk has an owner and a mitigation."
    return table(ask, "risks", caption, titles, rows, empty=empty)


def sensitive_page(ask: Ask) -> Page:
    """Return where sensitive columns are written, and who reads them."""
    as_of = ask.asked.get("as_of")
    found = [
        one
        for one in sensitive(
            ask.fleet,
            ask.asked.filters(),
            as_of=None if as_of is None else end_of(time_of(as_of, ask.now), as_of),
        )
        if ask.asked.has_text(one.pipeline, one.env, one.location, *one.columns)
    ]
    lead = "As of the newest runs." if as_of is None else f"As of {as_of}."
    made = sensitive_table(ask, found, "Sensitive columns, by location")
    return _page(ask, "sensitive", "Sensitive columns", lead, made, "as_of")


def sensitive_table(ask: Ask, found: list[SensitiveSink], caption: str) -> Table:
    """Return where sensitive columns are written as a table."""
    rows = LazyRows(
        found,
        lambda one: (
            location_cell(ask.links, one.location),
            Cell(f"{one.n_sensitive:,}"),
            Cell(", ".join(one.columns) or "marked by the pipeline", code=bool(one.columns)),
            pipeline_cell(ask.links, one.pipeline, one.env),
            pipelines_cell(ask.links, one.readers),
            time_cell(one.ts, ask.now),
        ),
    )
    titles = ("Location", "#Columns", "Which", "Written by", "Read by", "~As of")
    empty = "No newest run writes a sensitive column."
    return table(ask, "sensitive", caption, titles, rows, empty=empty)


def _page(ask: Ask, name: str, title: str, lead: str, made: Table, *more_fields: str) -> Page:
    form = filter_form(ask, *_FILTERS, *more_fields)
    sections: tuple[Section, ...] = (made,) if form is None else (form, made)
    return Page(name, title, lead, sections)
