"""One run: every grain of it, and what changed since the run before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformare.fleet._fleet import Fleet, run_key
from conformare.fleet.questions._found import found_run
from conformare.fleet.questions._health import Health, health_of_run
from conformare.fleet.questions._places import place_of
from conformare.fleet.stores import Row, order_of
from conformare_schemas import CHILD_GRAINS, EMISSION_COLUMN

RUN_GRAINS = tuple(grain for grain in CHILD_GRAINS if grain != "source_risks")
"""The grains of a run beside `runs`."""


@dataclass(frozen=True)
class Change:
    """What is not as it was in the run before.

    Attributes:
        what: What kind of thing, such as source or context code.
        name: Which.
        before: How it was; None where it was not there.
        after: How it is; None where it is not there any more.
    """

    what: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RunView:
    """One run as a whole."""

    run: Row
    health: Health
    grains: Mapping[str, Sequence[Row]]
    previous: Row | None
    changes: tuple[Change, ...]


def run_view(fleet: Fleet, run_id: str, pipeline: str | None = None) -> RunView:
    """Return a run, all its rows, and what changed since the run before it.

    Args:
        fleet: The fleet.
        run_id: Its id.
        pipeline: Whose, where several pipelines have a run of that id.

    Raises:
        FleetError: There is no such run, or it is not told which one is meant.
    """
    run = found_run(fleet, run_id, pipeline)
    grains = _grains_of(fleet, run)
    previous = _previous(fleet, run)
    changes: tuple[Change, ...] = ()
    if previous is not None:
        changes = tuple(_changes(previous, _grains_of(fleet, previous), run, grains))
        previous = _recorded(previous)
    return RunView(_recorded(run), health_of_run(run), grains, previous, changes)


def _grains_of(fleet: Fleet, run: Row) -> dict[str, list[Row]]:
    rows = {grain: fleet.store.rows_of(grain, [run_key(run)]) for grain in RUN_GRAINS}
    return {grain: list(map(_recorded, of_grain)) for grain, of_grain in rows.items()}


def _recorded(row: Row) -> Row:
    """Return a row without what tables alone have: it is the same in every store."""
    return {name: value for name, value in row.items() if name != EMISSION_COLUMN}


def _previous(fleet: Fleet, run: Row) -> Row | None:
    earlier = fleet.store.history(run["pipeline"], until=run["ts"])
    return next(
        (one for one in earlier if one["env"] == run["env"] and order_of(one) < order_of(run)),
        None,
    )


def _changes(
    previous: Row,
    before: Mapping[str, Sequence[Row]],
    run: Row,
    after: Mapping[str, Sequence[Row]],
) -> list[Change]:
    found = [
        Change("run", name, _text(previous[name]), _text(run[name]))
        for name in ("status", "git_sha", "conformare_version", "tags")
        if previous[name] != run[name]
    ]
    for what, grain, name, value in (
        ("source", "sources", "location", "format"),
        ("sink", "sinks", "location", "format"),
        ("columns of source", "sources", "location", "columns"),
        ("columns of sink", "sinks", "location", "columns"),
        ("code of context", "contexts", "context_label", "impl_hash"),
        ("risks of context", "contexts", "context_label", "risk_hash"),
        ("risk", "risks", "risk_id", "severity"),
        ("mitigation of risk", "risks", "risk_id", "mitigations"),
        ("owner", "owners", "owner", "ref"),
        ("expectation", "expectations", "expectation", "success"),
    ):
        old, new = (_valued(rows[grain], name, value) for rows in (before, after))
        found += [
            Change(what, old[key][0] if key in old else new[key][0], *pair)
            for key in sorted({*old, *new})
            if (pair := tuple(side[key][1] if key in side else None for side in (old, new)))[0]
            != pair[1]
        ]
    return found


def _valued(rows: Sequence[Row], name: str, value: str) -> dict[str, tuple[str, str]]:
    """Return what a column holds for each name, as text."""
    found: dict[str, tuple[str, set[str]]] = {}
    for row in rows:
        shown = row[name]
        if name == "expectation":
            shown = f"{row['expectation']}({row['column'] or ''}) on {row['node']}"
        key = place_of(shown) if name == "location" else shown
        text = _ANSWERS[row[value]] if value == "success" else _text(row[value])
        found.setdefault(key, (shown, set()))[1].add(text)
    return {key: (shown, ", ".join(sorted(texts))) for key, (shown, texts) in found.items()}


_ANSWERS = {True: "holds", False: "does not hold", None: "could not be evaluated"}


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={text}" for name, text in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)
