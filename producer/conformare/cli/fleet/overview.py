"""`conformare fleet status`, `drift`, `owners` and `expectations`."""

from __future__ import annotations

from collections.abc import Sequence

from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._json import show_json
from conformare.cli.fleet._output import show_line, show_table
from conformare.cli.settings import DriftSettings, ListSettings, StatusSettings
from conformare.fleet import questions
from conformare.fleet.questions import OpenRisk, Owner, PipelineHealth, span

_MARKS = {"healthy": "+", "degraded": "d", "failed": "F", "unknown": "?"}
LEGEND = "last runs, oldest first: + healthy, d degraded, F failed, ? nothing evaluated"


@fleet_command(StatusSettings)
def status(asked: Asked[StatusSettings]) -> None:
    """Print the health of each pipeline, the most urgent first."""
    found = questions.health(asked.fleet, asked.filters)
    if not asked.wants_table(found, asked.nothing_fits):
        return
    columns = (
        "health",
        "pipeline",
        "env",
        "newest run",
        "age",
        "due after",
        "streak",
        "last runs",
        "last healthy",
        "runs",
        "owners",
    )
    rows = [
        (
            _health(one),
            one.pipeline,
            one.env,
            one.run_id,
            span(one.age),
            "" if one.due_after is None else span(one.due_after),
            one.streak,
            "".join(_MARKS[mark.health] for mark in one.strip),
            one.last_healthy_ts or "never",
            one.runs,
            one.owners,
        )
        for one in found
    ]
    show_table("Pipelines", columns, rows)
    show_line(LEGEND)


@fleet_command(DriftSettings)
def drift(asked: Asked[DriftSettings]) -> None:
    """Print the contexts whose code changed while their risks did not, newest first."""
    show_settled = asked.settings.show_settled
    found = questions.drift(asked.fleet, asked.filters, open_only=not show_settled)
    if not asked.wants_table(found, "no drift" if show_settled else "no open drift"):
        return
    columns = ("since (UTC)", "pipeline", "env", "context", "from run", "to run", "git_sha")
    rows = [
        (
            one.to_ts,
            one.pipeline,
            one.env,
            one.context_label,
            one.from_run,
            one.to_run,
            one.git_sha,
            one.owners,
            "open" if one.is_open else "settled",
        )
        for one in found
    ]
    show_table("Drift", (*columns, "owners", "state"), rows)
    if any(one.is_open for one in found):
        show_line("conformare fleet acknowledge RUN_ID CONTEXT settles one that was reviewed")


@fleet_command(ListSettings)
def owners(asked: Asked[ListSettings]) -> None:
    """Print who owns what in the newest runs, former owners, and open risks."""
    found = questions.owners(asked.fleet, asked.filters)
    risks = questions.open_risks(asked.fleet, asked.filters)
    if asked.as_json:
        show_json({"owners": found, "open_risks": risks})
        return
    _show_owners([one for one in found if one.owned])
    _show_former([one for one in found if not one.owned])
    _show_open_risks(risks)


@fleet_command(ListSettings)
def expectations(asked: Asked[ListSettings]) -> None:
    """Print the state of every expectation in the newest runs, failing ones first."""
    found = questions.expectations(asked.fleet, asked.filters)
    if not asked.wants_table(found, "no newest run has an expectation"):
        return
    columns = ("state", "pipeline", "env", "frame", "expectation", "column", "hard", "severity")
    rows = [
        (
            one.state,
            one.pipeline,
            one.env,
            one.node,
            one.expectation,
            one.column,
            one.hard,
            one.severity,
            one.error if one.state == "errored" else one.observed,
            "" if one.failure_rate is None else f"{one.failure_rate:.0%}",
            one.asked,
            one.errored,
            one.owners,
        )
        for one in found
    ]
    more = ("observed or error", "fails", "asked", "errored", "owners")
    show_table("Expectations (rates of 30 days)", (*columns, *more), rows)


def _show_owners(found: Sequence[Owner]) -> None:
    if not found:
        show_line("no newest run names an owner")
        return
    columns = ("owner", "pipelines", "risks", "contexts", "formerly", "last named (UTC)")
    rows = [
        (
            one.owner,
            one.pipelines,
            *(
                sorted({thing.ref for thing in one.owned if thing.scope == scope})
                for scope in ("risk", "context")
            ),
            one.former_pipelines,
            one.last_ts,
        )
        for one in found
    ]
    show_table("Owners", columns, rows)


def _show_former(found: Sequence[Owner]) -> None:
    if found:
        columns = ("owner", "pipelines", "last named (UTC)")
        rows = [(one.owner, one.former_pipelines, one.last_ts) for one in found]
        show_table("Named in older runs only", columns, rows)


def _show_open_risks(found: Sequence[OpenRisk]) -> None:
    if found:
        columns = ("severity", "risk", "label", "pipeline", "env", "mitigated", "owners")
        rows = [
            (
                risk.severity,
                risk.risk_id,
                risk.label,
                risk.pipeline,
                risk.env,
                risk.mitigated,
                risk.owners or "nobody",
            )
            for risk in found
        ]
        show_table("Risks that nobody mitigates or nobody owns", columns, rows)


def _health(one: PipelineHealth) -> str:
    words: list[str] = [one.health]
    if one.is_stale and one.health != "stale":
        words.append("stale")
    if one.is_flapping:
        words.append("flapping")
    return ", ".join(words)
