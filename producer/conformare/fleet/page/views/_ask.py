"""What a page is made for: a fleet, a query, and where links lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conformare._errors import FleetError
from conformare.fleet._fleet import Fleet
from conformare.fleet.page._links import Links
from conformare.fleet.page._model import Cell, Column, Field, Form, Table
from conformare.fleet.page._query import Asked
from conformare.fleet.questions import HEALTHS, STATES
from conformare.fleet.stores import PipelineKey, pipeline_order

ROWS_SHOWN = 200
"""A page shows no more rows of one table than these; CSV has all."""
_NOTES = {"Pipeline": "Environment", "Expectation": "Column", "State": "Hard"}
"""What stands beside a name in a column of that title; CSV has a column of its own for it."""
HINTS = 300
"""No more names are suggested in a field than these."""


@dataclass(frozen=True)
class Ask:
    """What a page is made for.

    Attributes:
        page: Which page is made, as its URL calls it.
        rows_shown: No more rows of one table than these.
    """

    fleet: Fleet
    asked: Asked
    links: Links
    page: str = ""
    rows_shown: int = ROWS_SHOWN

    @property
    def now(self) -> datetime:
        """What ages are counted to."""
        return self.fleet.now

    def here(self, page: str | None = None, /, **changed: str | None) -> str | None:
        """Return where this page is, or another, with some values changed; None in a report."""
        path = f"/{self.page if page is None else page}"
        return self.asked.url(path, **changed) if self.links.are_served else None


def named_pipeline(ask: Ask, name: str) -> list[PipelineKey]:
    """Return a pipeline in each of its environments, the one that is asked for first.

    Raises:
        FleetError: There is none of that name.
    """
    keys = sorted((key for key in ask.fleet.newest() if key.pipeline == name), key=pipeline_order)
    if not keys:
        raise FleetError(f"{ask.fleet.store.place} has no pipeline {name!r}: correct the name")
    env = ask.asked.get("env")
    return sorted(keys, key=lambda key: key.env != env)


def env_field(ask: Ask) -> Field:
    """Return the field in which an environment is chosen."""
    envs = sorted({key.env for key in ask.fleet.newest() if key.env is not None})
    choices = (("", "all"), *((env, env) for env in envs))
    return Field("env", "Environment", ask.asked.get("env") or "", choices)


def columns(*titles: str) -> tuple[Column, ...]:
    """Return columns by title; `~` before it: minor, `#`: numbers."""
    return tuple(
        Column(
            title.lstrip("~#"),
            is_minor="~" in title[:2],
            is_number="#" in title[:2],
            note_title=_NOTES.get(title, ""),
        )
        for title in titles
    )


def table(
    ask: Ask,
    name: str,
    caption: str,
    titles: tuple[str, ...],
    rows: Sequence[tuple[Cell, ...]],
    *,
    empty: str = "None.",
    note: str = "",
    legend: bool = False,
) -> Table:
    """Return a table that shows no more rows than a browser bears, and says what it leaves out.

    Args:
        ask: What for.
        name: What a URL calls it.
        caption: What it is.
        titles: Of its columns, see `columns`.
        rows: All of its rows.
        empty: What is said where there are none.
        note: How to read it.
        legend: Whether the shapes of a strip are explained above it.
    """
    left_out = len(rows) - ask.rows_shown
    notes = [note] if note else []
    csv = ask.here(format="csv", table=name, page=None)
    if left_out > 0:
        where = "CSV has all." if csv else "`conformare fleet` lists all."
        notes.append(f"The first {ask.rows_shown:,} of {len(rows):,}. {where}")
    return Table(
        name,
        caption,
        columns(*titles),
        rows[: ask.rows_shown],
        note=" ".join(notes),
        empty=empty,
        all_rows=rows,
        csv=csv if rows else None,
        legend=legend,
    )


def filter_form(ask: Ask, *names: str) -> Form | None:
    """Return the form that filters this page; None where there is nobody to answer it.

    Args:
        ask: What for.
        names: Of the fields that it has.
    """
    if not ask.links.are_served:
        return None
    newest = ask.fleet.newest()
    value = ask.asked.get
    owned = ask.fleet.rows("owners").values()
    owners = sorted({row["owner"] for rows in owned for row in rows})[:HINTS]
    tags = sorted(
        {f"{name}={text}" for run in newest.values() for name, text in (run["tags"] or {}).items()}
    )[:HINTS]
    fields = {
        "q": Field("q", "Text", value("q") or "", input_type="search"),
        "pipeline": Field("pipeline", "Pipeline", value("pipeline") or ""),
        "env": env_field(ask),
        "status": Field(
            "status",
            "Health",
            value("status") or "",
            choices=(
                ("", "all"),
                *((one, one) for one in HEALTHS),
            ),
        ),
        "state": Field(
            "state",
            "State",
            value("state") or "",
            choices=(("", "all"), *((state, state) for state in STATES)),
        ),
        "owner": Field("owner", "Owner", value("owner") or "", hints=tuple(owners)),
        "tag": Field("tag", "Tag", next(iter(ask.asked.tags), ""), hints=tuple(tags)),
        "since": Field(
            "since",
            "Since",
            value("since") or "",
            hints=("24h", "7d", "30d"),
        ),
        "as_of": Field("as_of", "As of", value("as_of") or "", hints=("7d", "30d")),
    }
    return Form(
        "Filters",
        f"/{ask.page}",
        tuple(fields[name] for name in names),
        hidden=tuple(("tag", tag) for tag in ask.asked.tags[1:]),
    )
