"""Owners: everybody, and everything that one of them has."""

from __future__ import annotations

from conformare._errors import FleetError
from conformare.fleet._fleet import Filters
from conformare.fleet.page._cells import (
    owners_cell,
    pipeline_cell,
    pipelines_cell,
    time_cell,
)
from conformare.fleet.page._model import Cell, Page, Section
from conformare.fleet.page.views._ask import Ask, filter_form, table
from conformare.fleet.page.views._lists import (
    drift_table,
    expectations_table,
    findings_table,
    risks_table,
)
from conformare.fleet.page.views._overview import pipelines_table
from conformare.fleet.questions import (
    Owner,
    drift,
    expectations,
    findings,
    health,
    open_risks,
    owners,
)
from conformare.fleet.stores import PipelineKey, pipeline_order


def owners_page(ask: Ask) -> Page:
    """Return everybody who owns something now, and apart from them those who once did."""
    found = [
        one
        for one in owners(ask.fleet, ask.asked.filters())
        if ask.asked.has_text(one.owner, *one.pipelines, *one.former_pipelines)
    ]
    now = [one for one in found if one.owned]
    gone = [one for one in found if not one.owned]
    rows = [
        (
            owners_cell(ask.links, [one.owner]),
            pipelines_cell(ask.links, _keys(one)),
            Cell(f"{sum(owned.scope == 'risk' for owned in one.owned):,}"),
            Cell(f"{sum(owned.scope == 'context' for owned in one.owned):,}"),
            time_cell(one.last_ts, ask.now),
        )
        for one in now
    ]
    former = [
        (
            owners_cell(ask.links, [one.owner]),
            Cell(", ".join(one.former_pipelines)),
            time_cell(one.last_ts, ask.now),
        )
        for one in gone
    ]
    sections: list[Section] = []
    form = filter_form(ask, "q", "pipeline", "env", "tag")
    if form is not None:
        sections.append(form)
    sections.append(
        table(
            ask,
            "owners",
            "Owners as of the newest runs",
            ("Owner", "Pipelines", "#Risks", "#Contexts", "~Last named"),
            rows,
            empty="No newest run names an owner.",
        )
    )
    if former:
        sections.append(
            table(
                ask,
                "former",
                "Named by older runs alone",
                ("Owner", "Pipelines", "Last named"),
                former,
            )
        )
    return Page("owners", "Owners", "", tuple(sections))


def owner_page(ask: Ask) -> Page:
    """Return everything that is one owner's.

    Raises:
        FleetError: No run names them.
    """
    name = ask.asked.get("name") or ""
    filters = Filters(owner=name)
    found = next(iter(owners(ask.fleet, filters)), None)
    if found is None:
        raise FleetError(f"no run in {ask.fleet.store.place} names the owner {name!r}: correct it")
    rows = [
        (
            pipeline_cell(ask.links, one.pipeline, one.env),
            Cell(one.scope),
            Cell(one.ref),
            Cell(one.role.replace("_", " ")),
        )
        for one in found.owned
    ]
    needy = [one for one in findings(ask.fleet, filters) if name in one.owners]
    drifts = [one for one in drift(ask.fleet, filters) if name in one.owners]
    risks = [one for one in open_risks(ask.fleet, filters) if name in one.owners]
    failing = [one for one in expectations(ask.fleet, filters) if one.state != "holding"]
    sections: list[Section] = [
        findings_table(ask, needy, "What needs them"),
        pipelines_table(ask, health(ask.fleet, filters)),
        drift_table(ask, drifts, "Drift to review"),
        risks_table(ask, risks, "Open risks"),
        expectations_table(ask, failing, "Expectations that do not hold, in their pipelines"),
        table(
            ask,
            "owned",
            "What they own",
            ("Pipeline", "What", "Which", "As"),
            rows,
            empty="Nothing as of the newest runs.",
        ),
    ]
    formerly = ", ".join(found.former_pipelines)
    lead = f"Older runs alone of {formerly} name them too." if formerly else ""
    return Page("owner", name, lead, tuple(sections))


def _keys(owner: Owner) -> list[PipelineKey]:
    keys = {PipelineKey(one.pipeline, one.env) for one in owner.owned}
    return sorted(keys, key=pipeline_order)
