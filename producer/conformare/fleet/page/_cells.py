"""Values of answers as cells of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from conformare.fleet.page._links import Links
from conformare.fleet.page._model import Cell, Mark
from conformare.fleet.questions import HEALTHS, RunMark, span
from conformare.fleet.stores import PipelineKey

NOTHING = Cell("")
LETTERS = {"failed": "F", "degraded": "D", "stale": "S", "unknown": "U", "healthy": "H"}
"""What a health is called in a strip of letters."""
RUN_ID_SHOWN = 16
"""A longer run_id is shown by its end: its first characters are a time."""
RUN_ID_END = 12


def text_of(value: Any) -> str:
    """Return a value of a row as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={text}" for name, text in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def moment(ts: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return ts.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M")


def plain(value: Any, *, code: bool = False) -> Cell:
    """Return a cell with a value of a row."""
    return Cell(text_of(value), code=code)


def badge(name: str, note: str = "") -> Cell:
    """Return a health, a severity or a state, by its name."""
    return Cell(name, badge=name, note=note)


def time_cell(ts: datetime | None, now: datetime | None = None) -> Cell:
    """Return a time, and how long ago that was."""
    if ts is None:
        return NOTHING
    note = "" if now is None else f"{span(now - ts)} ago"
    return Cell(moment(ts), time=ts, note=note)


def age_cell(ts: datetime, now: datetime) -> Cell:
    """Return how long ago a time was; CSV has the time."""
    return Cell(f"{span(now - ts)} ago", time=ts)


def pipeline_cell(links: Links, name: str, env: str | None) -> Cell:
    """Return a pipeline with its environment beside it."""
    return Cell(name, href=links.pipeline(name, env), note=env or "")


def run_cell(links: Links, run_id: str | None, pipeline: str) -> Cell:
    """Return a run by the end of its id; CSV has all of it."""
    if run_id is None:
        return NOTHING
    return several([short_run(links, run_id, pipeline)], run_id)


def short_run(links: Links, run_id: str, pipeline: str) -> Cell:
    """Return a run by the end of its id alone."""
    short = run_id if len(run_id) <= RUN_ID_SHOWN else f"…{run_id[-RUN_ID_END:]}"
    return Cell(short, href=links.run(run_id, pipeline), code=True)


def owners_cell(links: Links, names: Iterable[str]) -> Cell:
    """Return owners, each with a link."""
    cells = [Cell(name, href=links.owner(name)) for name in names]
    return several(cells) if cells else badge("nobody")


def location_cell(links: Links, location: str) -> Cell:
    """Return a location with a link to its lineage."""
    return Cell(location, href=links.location(location), code=True)


def pipelines_cell(links: Links, keys: Iterable[PipelineKey]) -> Cell:
    """Return pipelines, each with a link."""
    return several([pipeline_cell(links, *key) for key in keys])


def several(cells: Sequence[Cell], text: str | None = None) -> Cell:
    """Return several cells as one; CSV has `text`, or the texts of all."""
    said = ", ".join(f"{c.text} ({c.note})" if c.note else c.text for c in cells)
    return Cell(said if text is None else text, parts=tuple(cells))


def strip_cell(links: Links, pipeline: str, marks: Sequence[RunMark]) -> Cell:
    """Return a strip of runs, oldest first, and what it says in letters."""
    return Cell(
        "".join(LETTERS[mark.health] for mark in marks),
        note=strip_words([mark.health for mark in marks]),
        strip=tuple(
            Mark(
                mark.health,
                f"{mark.health}, {moment(mark.ts)}",
                links.run(mark.run_id, pipeline),
            )
            for mark in marks
        ),
    )


def strip_words(healths: Sequence[str]) -> str:
    """Return in words what a strip shows."""
    counts = Counter(healths)
    said = ", ".join(f"{counts[health]} {health}" for health in HEALTHS if counts[health])
    return f"{len(healths)} {'run' if len(healths) == 1 else 'runs'}: {said}"


def web_address(text: str | None) -> str | None:
    """Return a text if a browser may be sent there: an address of http or https with a host."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return text if is_web and text.isprintable() and " " not in text else None
