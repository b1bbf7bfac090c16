"""One run: what changed since the run before, and every grain of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformare.fleet.page._cells import (
    badge,
    location_cell,
    owners_cell,
    pipeline_cell,
    plain,
    run_cell,
    text_of,
    time_cell,
    web_address,
)
from conformare.fleet.page._links import Links
from conformare.fleet.page._model import Cell, Facts, Page, Section
from conformare.fleet.page.views._ask import Ask, table
from conformare.fleet.questions import RunView, run_view
from conformare.fleet.stores import PipelineKey, Row

_SHOWN_ELSEWHERE = {"run_id", "pipeline", "ts", "env", "emission_id"}
_CODE = {"node", "sink_node", "impl_hash", "risk_hash", "expectation", "column", "columns", "nodes"}
_BADGES = {"severity"}


def run_page(ask: Ask) -> Page:
    """Return the run that the query names.

    Raises:
        FleetError: There is none of that id.
    """
    view = run_view(ask.fleet, ask.asked.get("id") or "", ask.asked.get("pipeline"))
    run = view.run
    changed = [
        (Cell(one.what), Cell(one.name, code=True), plain(one.before), plain(one.after))
        for one in view.changes
    ]
    sections: list[Section] = [_facts(ask, view)]
    if view.previous is not None:
        sections.append(
            table(
                ask,
                "changes",
                "What changed since the run before",
                ("What", "Which", "Before", "Now"),
                changed,
                empty="Nothing changed since the run before.",
            )
        )
    sections += [
        _grain(ask, grain, rows) for grain, rows in (("runs", [run]), *view.grains.items()) if rows
    ]
    empty = [grain for grain, rows in view.grains.items() if not rows]
    lead = f"Run {run['run_id']}."
    if empty:
        lead += f" It has no rows of {', '.join(empty)}."
    return Page("run", run["pipeline"], lead, tuple(sections), badge=view.health)


def _facts(ask: Ask, view: RunView) -> Facts:
    run = view.run
    report = run["report_uri"]
    facts = [
        ("Pipeline", pipeline_cell(ask.links, run["pipeline"], run["env"])),
        ("Time", time_cell(run["ts"], ask.now)),
        ("Status", plain(run["status"])),
        ("Title", plain(run["title"])),
        ("Commit", plain(run["git_sha"], code=True)),
        ("Report", Cell(report or "", href=web_address(report), code=True)),
        ("Tags", Cell(text_of(run["tags"]))),
        ("Owners", owners_cell(ask.links, sorted({r["owner"] for r in view.grains["owners"]}))),
    ]
    if view.previous is not None:
        previous = view.previous
        facts.append(("Run before", run_cell(ask.links, previous["run_id"], previous["pipeline"])))
    impact = ask.links.page("impact", run_id=run["run_id"], pipeline=run["pipeline"])
    key = PipelineKey(run["pipeline"], run["env"])
    lineage = ask.links.page("lineage", pipeline=key.pipeline, env=key.env)
    if impact and lineage:
        parts = (Cell("lineage", href=lineage), Cell("impact downstream", href=impact))
        facts.append(("See", Cell("", parts=parts)))
    return Facts("In short", tuple((name, cell) for name, cell in facts if cell.text or cell.parts))


def _grain(ask: Ask, grain: str, rows: Sequence[Row]) -> Section:
    names = [name for name in rows[0] if name not in _SHOWN_ELSEWHERE]
    if grain == "runs":
        pairs = [(name, rows[0][name]) for name in names]
        return Facts("The row in runs", tuple((name, plain(value)) for name, value in pairs))
    cells = [tuple(_value(ask.links, name, row[name]) for name in names) for row in rows]
    titles = tuple(name.replace("_", " ") for name in names)
    return table(ask, grain, grain.replace("_", " ").capitalize(), titles, cells)


def _value(links: Links, name: str, value: Any) -> Cell:
    if value is not None and name in ("location", "sink_location"):
        return location_cell(links, value)
    if name == "owner" and value:
        return Cell(value, href=links.owner(value))
    if name == "owners":
        return owners_cell(links, value or ())
    if name in _BADGES:
        return badge(text_of(value))
    return plain(value, code=name in _CODE)
