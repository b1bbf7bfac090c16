"""Sensitive columns, with the answer beside each small fleet."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from support.fleet.small import fleet_of, recorded

from conformare.fleet import Filters, Fleet, PipelineKey, merge_records, sinks_as_of
from conformare.fleet.questions import SensitiveSink, sensitive

PLACE = "s3://lake/customers"


def writes(
    day: int, *columns: str, n_sensitive: int = 1, env: str = "prod", location: str = PLACE
) -> dict[str, Any]:
    """A run of `customers` that writes some columns."""
    sink = {"location": location, "columns": list(columns), "n_sensitive": n_sensitive}
    run_id = f"c-{day}-{env}"
    return recorded("customers", run_id, f"2026-02-0{day}", run={"env": env}, sinks=[sink])


def reads(
    pipeline: str, day: int, location: str = PLACE, env: str | None = "prod"
) -> dict[str, Any]:
    """A run that reads a place."""
    run_id, sources = f"{pipeline}-{day}", [{"location": location}]
    return recorded(pipeline, run_id, f"2026-02-0{day}", run={"env": env}, sources=sources)


def day(number: int) -> datetime:
    """Midnight of a day in February."""
    return datetime(2026, 2, number, tzinfo=timezone.utc)


def told(fleet: Fleet, as_of: datetime | None = None) -> list[tuple[str, list[str]]]:
    """The runs that write sensitive columns, and the pipelines that read them."""
    found = sensitive(fleet, as_of=as_of)
    return [(one.run_id, [reader.pipeline for reader in one.readers]) for one in found]


def test_it_is_told_where_columns_are_written_and_who_reads_them() -> None:
    """In any spelling of the place; columns that somebody marked are counted, not named."""
    fleet = fleet_of(
        writes(1, "id", "email", "marked", n_sensitive=2),
        reads("mail", 1, f"{PLACE}/"),
        reads("bills", 1, "s3a://lake/customers", env=None),
        reads("other", 1, "s3://lake/Customers"),
        recorded(
            "clean", "x-1", "2026-02-01", sinks=[{"location": "s3://lake/x", "columns": ["email"]}]
        ),
    )
    assert sensitive(fleet) == [
        SensitiveSink(
            location=PLACE,
            pipeline="customers",
            env="prod",
            run_id="c-1-prod",
            ts=day(1),
            n_sensitive=2,
            columns=("email",),
            readers=(PipelineKey("bills", None), PipelineKey("mail", "prod")),
        )
    ]


def test_the_newest_runs_of_a_time_say_what_was_so_then() -> None:
    """The time itself counts; a late run belongs to its own."""
    fleet = fleet_of(
        writes(5, "id", n_sensitive=0),
        writes(3, "email"),
        writes(1, "email", "phone", n_sensitive=2),
        reads("mail", 2),
        reads("mail", 4, "s3://lake/elsewhere"),
    )
    assert told(fleet) == []
    assert told(fleet, day(1)) == [("c-1-prod", [])]
    assert told(fleet, day(2)) == [("c-1-prod", ["mail"])]
    assert told(fleet, day(3)) == [("c-3-prod", ["mail"])]
    assert told(fleet, day(4)) == [("c-3-prod", [])]
    assert told(fleet, day(5)) == []
    assert told(fleet, datetime(2026, 1, 31, tzinfo=timezone.utc)) == []


def test_every_environment_writes_for_itself() -> None:
    """Filters are about who writes; who reads is told whole."""
    fleet = fleet_of(
        writes(1, "email"),
        writes(2, "email", env="dev"),
        reads("mail", 1),
        reads("mail", 2, env="dev"),
    )
    assert [one.env for one in sensitive(fleet)] == ["dev", "prod"]
    (only,) = sensitive(fleet, Filters(env="dev"))
    assert only.readers == (PipelineKey("mail", "dev"), PipelineKey("mail", "prod"))


def test_the_call_returns_the_sinks_of_the_newest_run_then() -> None:
    """As records have them."""
    tables = merge_records([writes(3, "email"), writes(1, "phone")])
    assert sinks_as_of(tables, "customers", "2026-01-31") == []
    (then,) = sinks_as_of(tables, "customers", "2026-02-02T00:00:00Z")
    assert (then["run_id"], then["columns"], then["ts"]) == (
        "c-1-prod",
        ["phone"],
        "2026-02-01T00:00:00.000000Z",
    )
    assert [one["run_id"] for one in sinks_as_of(tables, "customers", day(3))] == ["c-3-prod"]
    assert sinks_as_of(tables, "nobody", day(3)) == []
