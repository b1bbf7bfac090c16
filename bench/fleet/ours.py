"""The questions of `conformare.fleet`, each put to a fleet that was just opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fleet.used import Used, python_used

from conformare.fleet import Fleet, open_store, questions

QUESTIONS: dict[str, Callable[[Fleet], Any]] = {
    "health": questions.health,
    "drift": questions.drift,
    "owners": lambda fleet: [*questions.owners(fleet), *questions.open_risks(fleet)],
    "impact": lambda fleet: questions.impact(fleet, pipeline="team-01.pipeline-0001"),
    "sensitive": questions.sensitive,
    "expectations": questions.expectations,
    "carried risks": questions.carried_risks,
    "one run": lambda fleet: questions.run_view(fleet, fleet.store.newest_runs(1)[0]["run_id"]),
    "all findings": questions.findings,
}


def opening(lake: Path, _: str) -> Used:
    """Return what opening a lake takes, its libraries included."""
    return python_used(lambda: open_store(str(lake)))


def by_us(lake: Path, question: str) -> Used:
    """Return what a question takes once the lake is open."""
    fleet = Fleet(open_store(str(lake)))
    return python_used(lambda: QUESTIONS[question](fleet))
