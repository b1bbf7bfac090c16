"""What one micro-batch did: for a person, for a log, for the metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from statistics import median

from conformare_sink.messages.emission import Decision, recorded_at


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
    latencies: tuple[float, ...]
    """Of each run that landed, the seconds from its `record_run` call until readers see it."""
    sequences: tuple[tuple[str, int], ...]
    """Producer and sequence number of the batch's messages, each pair once."""

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
                "latency_p50_seconds": round(median(self.latencies), 3) if self.latencies else None,
                "latency_max_seconds": round(max(self.latencies), 3) if self.latencies else None,
            }
        )


def times_of(emission_ids: Iterable[str]) -> Iterator[float]:
    """Return when emissions were recorded, in seconds since 1970, of those that tell it."""
    times = map(recorded_at, emission_ids)
    return (time for time in times if time is not None)


def latencies_of(times: Iterable[float], visible_at: float) -> tuple[float, ...]:
    """Return how long runs were on their way, in seconds.

    Args:
        times: When they were recorded, in seconds since 1970.
        visible_at: When readers could see them, in seconds since 1970.

    Returns:
        None is below 0, which the clock of another machine may ask for.
    """
    return tuple(max(0.0, visible_at - time) for time in times)
