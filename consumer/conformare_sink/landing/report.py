"""What one micro-batch did: for a person, for a log, for the metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from conformare_sink.messages.emission import Decision, recorded_at
from conformare_sink.messages.headers import Sequences

Times = npt.NDArray[np.float64]
"""In seconds."""


@dataclass(frozen=True)
class BatchReport:
    """What one micro-batch did."""

    batch_id: int
    messages: int
    """Messages that the batch read from the topics."""
    emissions: Mapping[Decision, int]
    """Emissions by what became of them."""
    rows: Mapping[str, int]
    """Rows appended by grain."""
    quarantined: int
    """Messages that could not be used, for the first time in this batch."""
    set_aside: int
    """Emissions that had waited too long, and went to quarantine."""
    pending: int
    """Emissions that wait for the rest of their messages when the batch ends."""
    seconds: float
    """How long the batch took."""
    latencies: Times
    """Of each run that landed, the seconds from its `record_run` call until readers see it."""
    sequences: Sequences
    """Producer → numbers of its emissions, as the batch's messages name them."""

    def summary(self) -> str:
        """Return the report as a line for a person."""
        counts = [f"{n} run(s) {decision.value}" for decision, n in self.emissions.items() if n]
        if self.quarantined:
            counts.append(f"{self.quarantined} message(s) quarantined")
        if self.set_aside:
            counts.append(f"{self.set_aside} incomplete emission(s) set aside")
        return f"batch {self.batch_id}: {', '.join(counts) or 'nothing new'}"

    def as_json(self, time: datetime | None = None) -> str:
        """Return the report as one line of JSON for a log.

        Args:
            time: When the batch ended; now when not said.
        """
        ended = (time or datetime.now(timezone.utc)).astimezone(timezone.utc)
        return json.dumps(
            {
                "time": ended.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "batch": self.batch_id,
                "messages": self.messages,
                "emissions": {known.value: self.emissions.get(known, 0) for known in Decision},
                "rows": dict(self.rows),
                "quarantined": self.quarantined,
                "set_aside": self.set_aside,
                "pending": self.pending,
                "seconds": round(self.seconds, 3),
                "latency_p50_seconds": _rounded(np.median, self.latencies),
                "latency_max_seconds": _rounded(np.max, self.latencies),
            }
        )


def times_of(emission_ids: Iterable[str]) -> Times:
    """Return when emissions were recorded, in seconds since 1970, of those that tell it."""
    times = map(recorded_at, emission_ids)
    return np.fromiter((time for time in times if time is not None), np.float64)


def latencies_of(times: Times, visible_at: float) -> Times:
    """Return how long runs were on their way, in seconds.

    Args:
        times: When they were recorded, in seconds since 1970.
        visible_at: When readers could see them, in seconds since 1970.

    Returns:
        None is below 0, which the clock of another machine may ask for.
    """
    return np.maximum(0.0, visible_at - times)


def _rounded(figure: Callable[[Times], Any], seconds: Times) -> float | None:
    return round(float(figure(seconds)), 3) if seconds.size else None
