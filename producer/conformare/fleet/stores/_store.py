"""What the questions ask of a store, whatever it is: a lake, a folder of files, or rows in memory.

A run counts once its row is in `runs`; rows of other grains count with the emission of that row.
Runs are in the order of their `ts`, and of their `run_id` where that is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

Row = dict[str, Any]
"""One row of a grain: `ts` as a datetime in UTC, arrays as lists, `tags` as a dict."""


class RunKey(NamedTuple):
    """What a run is known by."""

    pipeline: str
    run_id: str


class PipelineKey(NamedTuple):
    """A pipeline in one environment."""

    pipeline: str
    env: str | None


class ContextKey(NamedTuple):
    """A context of a pipeline in one environment."""

    pipeline: str
    env: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive runs in which a context has the same fingerprints.

    Contexts of the same label in one run count together: their fingerprints are joined with `+`.

    Attributes:
        first_run: The run that it begins with; None where it is the only one of its fingerprints
            at that time, or the first of them.
        last_run: The run that it ends with; None where it is the last of its fingerprints then.
    """

    impl_hash: str
    risk_hash: str
    first_ts: datetime
    last_ts: datetime
    first_run: str | None = field(default=None, compare=False)
    last_run: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ExpectationCount:
    """How often an expectation was asked in some time, and how often it did not hold."""

    pipeline: str
    env: str | None
    expectation: str
    column: str | None
    asked: int
    failed: int
    errored: int


@dataclass(frozen=True)
class OwnerSeen:
    """When an owner was last named for something of a pipeline."""

    owner: str
    pipeline: str
    last_ts: datetime


STRIP_COLUMNS = (
    "run_id",
    "pipeline",
    "ts",
    "env",
    "status",
    "git_sha",
    "ge_evaluated",
    "ge_failed",
    "ge_errored",
    "risks_unmitigated",
    "sensitive_written",
)
"""What is kept of many runs: a row of all columns of each would take hundreds of megabytes."""


def strip_of(run: Row) -> Row:
    """Return what is kept of a run in a strip."""
    return {column: run[column] for column in STRIP_COLUMNS}


def is_evaluated(run: Row) -> bool:
    """Return whether an expectation of a run gave an answer: else nobody knows how it was."""
    return bool((run["ge_evaluated"] or 0) > (run["ge_errored"] or 0))


class FleetStore(Protocol):
    """A store that can be asked about its runs."""

    place: str
    """Where it is, for a person."""

    def newest_runs(self, depth: int, until: datetime | None = None) -> list[Row]:
        """Return the newest runs of each pipeline and environment, newest first.

        Each has `STRIP_COLUMNS`.

        Args:
            depth: How many of each, at most.
            until: Not those after; None for all.
        """

    def run_counts(self) -> Mapping[PipelineKey, int]:
        """Return how many runs each pipeline has in each environment."""

    def run_keys(self, since: datetime | None = None) -> Iterator[RunKey]:
        """Yield what every run is known by, oldest first.

        Args:
            since: Not those before; None for all.
        """

    def last_healthy(self, *, evaluated: bool) -> list[Row]:
        """Return the newest run with status healthy of each pipeline and environment.

        Each has `STRIP_COLUMNS`.

        Args:
            evaluated: Not those for which `is_evaluated` does not hold.
        """

    def segments(
        self, pipelines: Collection[str] | None = None
    ) -> Mapping[ContextKey, Sequence[Segment]]:
        """Return the fingerprints of every context over time, oldest first."""

    def contexts_at(self, times: Collection[tuple[str, datetime]]) -> list[Row]:
        """Return the contexts of runs that took place at some times, with the run's `env` in each.

        Args:
            times: Pipelines, each with a time.
        """

    def rows_of(self, grain: str, runs: Collection[RunKey]) -> list[Row]:
        """Return the rows that some runs have of a grain, with the run's `env` in each."""

    def history(
        self,
        pipeline: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Return a pipeline's runs, newest first, all environments together.

        Args:
            pipeline: Whose.
            since: Not those before.
            until: Not those after.
            limit: How many at most.
        """

    def found(self, run_id: str) -> list[Row]:
        """Return the runs with an id, one for each pipeline that has it."""

    def expectation_counts(self, since: datetime) -> list[ExpectationCount]:
        """Return how often each expectation was asked since then, and did not hold."""

    def owners_seen(self) -> list[OwnerSeen]:
        """Return every owner that was ever named, by pipeline."""

    def acknowledgements(self) -> list[Row]:
        """Return what somebody has acknowledged: rows of the table `acknowledgements`."""

    def source_risks(self) -> list[Row]:
        """Return the risks that were declared for a location."""

    def acknowledge(self, row: Row) -> None:
        """Append a row to the table `acknowledgements`."""

    def whole(self, grain: str) -> list[Row]:
        """Return every row of a grain that counts, in no order."""

    def changes(self) -> Changes | None:
        """Return what has changed since the last call, or since the store was opened.

        Until then, every answer leaves it out.

        Returns:
            The new runs; None where that cannot be told, so that everything is to be read again.
        """


@dataclass(frozen=True)
class Changes:
    """What has come into a store."""

    runs: Sequence[Row] = ()
    acknowledged: bool = False
    """Whether `acknowledgements` or `source_risks` have changed."""
