"""A fleet written by hand: runs of which a test says only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from conformare_schemas import GRAINS, row_fields
from support.messages.records import Record

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Run:
    """One run; what is not said is nothing."""

    run_id: str
    pipeline: str = "p"
    minute: int = 0
    """Of its time, counted from the fleet's beginning."""
    env: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of `runs`."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Rows of the other grains."""

    @property
    def ts(self) -> datetime:
        """Its time."""
        return BEGIN + timedelta(minutes=self.minute)

    @property
    def record(self) -> Record:
        """The run as a record."""
        key = {"run_id": self.run_id, "pipeline": self.pipeline, "ts": self.ts.isoformat()}
        given = {**self.rows, "runs": [{"env": self.env, **self.columns}]}
        return {
            grain: [{**key, **_nothing(grain), **row} for row in given.get(grain, ())]
            for grain in GRAINS
        }


def _nothing(grain: str) -> dict[str, Any]:
    return {column.name: _empty(column.avro_type) for column in row_fields(grain)}


def _empty(avro_type: Any) -> Any:
    if isinstance(avro_type, list):
        return None
    if isinstance(avro_type, dict):
        return [] if avro_type["type"] == "array" else {}
    return {"string": "", "int": 0, "boolean": False}[avro_type]
