"""One pipeline: its runs over time, fingerprints, risks, owners, expectations and neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from conformare.fleet._fleet import Filters, run_key
from conformare.fleet.page._cells import (
    badge,
    location_cell,
    moment,
    owners_cell,
    pipelines_cell,
    plain,
    run_cell,
    strip_cell,
    strip_words,
    text_of,
    time_cell,
)
from conformare.fleet.page._model import (
    Cell,
    Chart,
    Facts,
    HeatMap,
    Lane,
    Lanes,
    Mark,
    Page,
    Section,
    Table,
    Text,
)
from conformare.fleet.page.views._ask import Ask, named_pipeline, table
from conformare.fleet.page.views._lists import HASH_SHOWN, drift_table, findings_table
from conformare.fleet.questions import (
    Lineage,
    PipelineHealth,
    drift,
    findings,
    health,
    health_of_run,
    severity_order,
    span,
    state_by_run,
)
from conformare.fleet.stores import PipelineKey, Row, Segment, pipeline_order

LANES_SHOWN = 40
HEAT_ROWS_SHOWN = 60
_MILLE = 1000


def pipeline_page(ask: Ask) -> Page:
    """Return the pipeline that the query names.

    Raises:
        FleetError: There is none of that name.
    """
    name = ask.asked.get("name") or ""
    key, *others = named_pipeline(ask, name)
    page = page_of_pipeline(ask, key)
    if not others:
        return page
    links = tuple(
        Cell(one.env or "no environment", href=ask.links.pipeline(*one)) for one in others
    )
    also = Text("The same pipeline in other environments:", links)
    return replace(page, sections=(also, *page.sections))


def page_of_pipeline(ask: Ask, key: PipelineKey) -> Page:
    """Return the page of a pipeline in one environment."""
    filters = Filters(pipeline=key.pipeline)
    one = next(one for one in health(ask.fleet, filters) if one.key == key)
    runs = ask.fleet.strips()[key]
    found = [f for f in findings(ask.fleet, filters) if (f.pipeline, f.env) == key]
    drifts = [d for d in drift(ask.fleet, filters, open_only=False) if (d.pipeline, d.env) == key]
    sections: list[Section] = [_facts(ask, one)]
    if found:
        sections.append(findings_table(ask, found, "What needs attention"))
    if drifts:
        sections.append(drift_table(ask, drifts, "Drift"))
    sections += [
        *_charts(runs),
        *_heat(ask, runs),
        *_fingerprints(ask, key, runs),
        _risks(ask, key),
        _owned(ask, key),
        _neighbours(ask, key),
        _runs(ask, runs),
    ]
    title = key.pipeline
    lead = f"Environment: {key.env}." if key.env else ""
    return Page("pipeline", title, lead, tuple(sections), badge=one.health)


def _facts(ask: Ask, one: PipelineHealth) -> Facts:
    due = "No rhythm is known yet" if one.due_after is None else f"After {span(one.due_after)}"
    facts = [
        ("Newest runs", strip_cell(ask.links, one.pipeline, one.strip)),
        ("Newest run", time_cell(one.ts, ask.now)),
        ("Streak", Cell(f"{one.streak} {one.strip[-1].health}{_flaps(one)}")),
        ("Last healthy", time_cell(one.last_healthy_ts, ask.now)),
        ("Overdue", Cell(due)),
        ("Runs in all", Cell(f"{one.runs:,}")),
        ("Owners", owners_cell(ask.links, one.owners)),
        ("Tags", Cell(text_of(one.tags))),
    ]
    lineage = ask.links.page("lineage", pipeline=one.pipeline, env=one.env)
    impact = ask.links.page("impact", pipeline=one.pipeline, env=one.env)
    if lineage and impact:
        parts = (Cell("lineage", href=lineage), Cell("impact downstream", href=impact))
        facts.append(("See", Cell("", parts=parts)))
    return Facts("In short", tuple((name, cell) for name, cell in facts if cell.text or cell.parts))


def _flaps(one: PipelineHealth) -> str:
    return ", flapping" if one.is_flapping else ""


def _runs(ask: Ask, runs: Sequence[Row]) -> Table:
    rows = [
        (
            badge(health_of_run(run)),
            time_cell(run["ts"], ask.now),
            run_cell(ask.links, run["run_id"], run["pipeline"]),
            plain(run["git_sha"] and run["git_sha"][:HASH_SHOWN], code=True),
            Cell(f"{run['ge_failed'] or 0} of {run['ge_evaluated'] or 0}"),
            plain(run["ge_errored"]),
            plain(run["risks_unmitigated"]),
            plain(run["sensitive_written"]),
        )
        for run in runs
    ]
    titles = (
        "Health",
        "Time",
        "Run",
        "~Commit",
        "#Checks failed",
        "~#Errored",
        "#Open risks",
        "~#Sensitive written",
    )
    return table(ask, "runs", "Newest runs", titles, rows)


def _charts(runs: Sequence[Row]) -> list[Chart]:
    """Return what changed over time, where there is more than one point of it."""
    if len(runs) < 3:  # noqa: PLR2004 - two points are a line without a shape
        return []
    oldest_first = runs[::-1]
    series = {
        "checks failed": tuple(float(run["ge_failed"] or 0) for run in oldest_first),
        "open risks": tuple(float(run["risks_unmitigated"] or 0) for run in oldest_first),
    }
    times = tuple(run["ts"].timestamp() for run in oldest_first)
    return [Chart("Checks that failed, and open risks, by run", times, series)]


def _fingerprints(ask: Ask, key: PipelineKey, runs: Sequence[Row]) -> list[Section]:
    of_pipeline = {
        context.label: segments
        for context, segments in ask.fleet.segments().items()
        if (context.pipeline, context.env) == key
    }
    rows = [
        row for label in sorted(of_pipeline) for row in _history(ask, label, of_pipeline[label])
    ]
    titles = ("Context", "Changed", "Since", "Until", "~Code", "~Declared risks")
    made = table(
        ask,
        "fingerprints",
        "Fingerprints of contexts",
        titles,
        rows,
        empty="No run describes a context.",
    )
    first, last = runs[-1]["ts"], runs[0]["ts"]
    lanes = _lanes(of_pipeline, first, last)
    if not lanes or first == last:
        return [made]
    caption = "When contexts changed, within the newest runs"
    return [Lanes(caption, tuple(lanes[:LANES_SHOWN]), first, last), made]


def _history(ask: Ask, label: str, segments: Sequence[Segment]) -> list[tuple[Cell, ...]]:
    found: list[tuple[Cell, ...]] = []
    for before, one in zip((None, *segments[:-1]), segments, strict=True):
        found.append(
            (
                Cell(label),
                badge(_changed(before, one)),
                time_cell(one.first_ts, ask.now),
                time_cell(one.last_ts, ask.now),
                Cell(one.impl_hash[:HASH_SHOWN], code=True),
                Cell(one.risk_hash[:HASH_SHOWN], code=True),
            )
        )
    return found[::-1]


def _changed(before: Segment | None, after: Segment) -> str:
    if before is None:
        return "first seen"
    if before.impl_hash == after.impl_hash:
        return "risks"
    return "code alone" if before.risk_hash == after.risk_hash else "code and risks"


def _lanes(
    of_pipeline: Mapping[str, Sequence[Segment]], first: datetime, last: datetime
) -> list[Lane]:
    whole = max(last - first, timedelta(seconds=1))
    lanes = []
    for label, segments in sorted(of_pipeline.items()):
        spans = []
        for before, one in zip((None, *segments[:-1]), segments, strict=True):
            if one.last_ts < first:
                continue
            begin = max(0, int(_MILLE * ((one.first_ts - first) / whole)))
            end = int(_MILLE * ((one.last_ts - first) / whole))
            changed = _changed(before, one)
            title = f"{changed}: {moment(one.first_ts)} to {moment(one.last_ts)}"
            spans.append((begin, max(4, end - begin), changed, title))
        if spans:
            lanes.append(Lane(label, tuple(spans)))
    return lanes


def _risks(ask: Ask, key: PipelineKey) -> Table:
    rows = [
        (
            badge(row["severity"]),
            Cell(row["label"], note=row["risk_id"] if row["risk_id"] != row["label"] else ""),
            Cell(text_of(row["mitigations"]) or ("yes" if row["mitigated"] else "not mitigated")),
            owners_cell(ask.links, row["owners"] or ()),
        )
        for row in sorted(
            ask.fleet.rows("risks").get(key, ()), key=lambda row: severity_order(row["severity"])
        )
    ]
    titles = ("Severity", "Risk", "Mitigation", "Owner")
    empty = "The newest run declares no risk."
    return table(ask, "risks", "Risks of the newest run", titles, rows, empty=empty)


def _owned(ask: Ask, key: PipelineKey) -> Table:
    rows = [
        (
            owners_cell(ask.links, [row["owner"]]),
            Cell(row["scope"]),
            Cell(row["ref"]),
            Cell(row["role"].replace("_", " ")),
        )
        for row in ask.fleet.rows("owners").get(key, ())
    ]
    titles = ("Owner", "What", "Which", "As")
    empty = "The newest run names no owner."
    return table(ask, "owners", "Owners in the newest run", titles, rows, empty=empty)


def _heat(ask: Ask, runs: Sequence[Row]) -> list[Section]:
    rows = ask.fleet.store.rows_of("expectations", [run_key(run) for run in runs])
    states = state_by_run(rows)
    if not states:
        return [Text("Its newest runs have no expectations.")]
    oldest_first = runs[::-1]
    marks = tuple(
        Mark(
            health_of_run(run),
            moment(run["ts"]),
            ask.links.run(run["run_id"], run["pipeline"]),
        )
        for run in oldest_first
    )
    lines = []
    for (node, expectation, column), of_run in sorted(
        states.items(), key=lambda item: (-_failures(item[1]), item[0][1], item[0][2] or "")
    ):
        label = f"{expectation}({column or ''}) on {node}"
        lines.append((label, tuple(of_run.get(run["run_id"], "") for run in oldest_first)))
    left_out = len(lines) - HEAT_ROWS_SHOWN
    note = f"{left_out} that failed less often are left out." if left_out > 0 else ""
    caption = f"Expectations by run, the oldest first. {strip_words([m.health for m in marks])}."
    return [HeatMap(caption, marks, tuple(lines[:HEAT_ROWS_SHOWN]), note)]


def _failures(of_run: Mapping[str, str]) -> int:
    return sum(state != "holding" for state in of_run.values())


def _neighbours(ask: Ask, key: PipelineKey) -> Table:
    lineage = Lineage(ask.fleet)
    rows = []
    for words, places, others, other_words in (
        ("reads", lineage.reads, lineage.writers, "written by"),
        ("writes", lineage.writes, lineage.readers, "read by"),
    ):
        for place in sorted(places.get(key, ())):
            keys = sorted(others.get(place, set()) - {key}, key=pipeline_order)
            rows.append(
                (
                    Cell(words),
                    location_cell(ask.links, lineage.spelled[place]),
                    Cell(other_words if keys else ""),
                    pipelines_cell(ask.links, keys),
                )
            )
    titles = ("This", "Location", "Which is", "Pipelines")
    empty = "The newest run reads and writes nothing that is known."
    return table(ask, "neighbours", "Neighbours in the lineage", titles, rows, empty=empty)
