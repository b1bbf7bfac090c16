"""Every question put to a fleet, and the same answered in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from conformare.fleet import Fleet, PipelineKey
from conformare.fleet.questions import (
    Lineage,
    carried_risks,
    drift,
    expectations,
    health,
    open_risks,
    owners,
    sensitive,
)
from support.fleet import brute_data, brute_runs
from support.fleet.history import History, in_order
from support.fleet.invented import PLACES

Answers = dict[str, Any]


def answers(fleet: Fleet, as_of: Sequence[datetime]) -> Answers:
    """Return what a fleet answers.

    Args:
        fleet: The fleet.
        as_of: Times for the question about sensitive columns.
    """
    lineage = Lineage(fleet)
    found: Answers = {
        "health": health(fleet),
        "all drifts": drift(fleet, open_only=False),
        "open drifts": drift(fleet),
        "owners": owners(fleet),
        "open risks": open_risks(fleet),
        "expectations": expectations(fleet),
        "sensitive": sensitive(fleet),
        "carried risks": carried_risks(fleet, PLACES),
        "pipelines": fleet.chosen(),
    }
    for ts in as_of:
        found[f"sensitive as of {ts}"] = sensitive(fleet, as_of=ts)
    starts: list[PipelineKey | str] = [*fleet.chosen(), *PLACES]
    for start in starts:
        found[f"down of {start}"] = brute_data.as_reached(lineage.reached([start]), PLACES)
        found[f"up of {start}"] = brute_data.as_reached(lineage.reached([start], "up"), PLACES)
    return found


def expected(
    history: History,
    as_of: Sequence[datetime],
    now: datetime,
    max_age: timedelta | None = None,
) -> Answers:
    """Return what a fleet should answer.

    Args:
        history: All that its store has got.
        as_of: Times for the question about sensitive columns.
        now: What ages are counted to.
        max_age: The fleet's limit.
    """
    drifts = brute_runs.drifts(history)
    keys = [PipelineKey(*key) for key in in_order(history.timelines)]
    found: Answers = {
        "health": brute_runs.health(history, now, max_age),
        "all drifts": drifts,
        "open drifts": [one for one in drifts if one.is_open],
        "owners": brute_data.owners(history),
        "open risks": brute_data.open_risks(history),
        "expectations": brute_runs.expectations(history, now),
        "sensitive": brute_data.sensitive(history, PLACES),
        "carried risks": {
            location: brute_data.carried(history, PLACES, location) for location in PLACES
        },
        "pipelines": keys,
    }
    for ts in as_of:
        found[f"sensitive as of {ts}"] = brute_data.sensitive(history, PLACES, ts)
    starts: list[PipelineKey | str] = [*keys, *PLACES]
    for start in starts:
        found[f"down of {start}"] = brute_data.reached(history, PLACES, [start])
        found[f"up of {start}"] = brute_data.reached(history, PLACES, [start], "up")
    return found


def differences(found: Answers, wanted: Answers) -> list[str]:
    """Return what is answered wrongly, shortly enough to be read."""
    return [
        f"{question}: {_difference(found.get(question), wanted.get(question))}"[:2_000]
        for question in sorted({*found, *wanted})
        if found.get(question) != wanted.get(question)
    ]


def _difference(found: Any, wanted: Any) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = [key for key in {*found, *wanted} if found.get(key) != wanted.get(key)]
        return "\n".join(f"{k}: {_difference(found.get(k), wanted.get(k))}" for k in keys)
    if not isinstance(found, (list, set)) or not isinstance(wanted, (list, set)):
        return f"found {found!r}\n wanted {wanted!r}"
    more = [one for one in found if one not in wanted]
    less = [one for one in wanted if one not in found]
    return f"too much {more}\n missing {less}" if more or less else f"in another order: {found}"
