"""Records made up from the contract alone: every column of every grain, with telling values."""

from __future__ import annotations

from typing import Any

from conformare_schemas import RUN_GRAINS, SOURCE_RISKS, row_fields

Record = dict[str, list[dict[str, Any]]]

TYPICAL_ROWS = {
    "contexts": 4,
    "risks": 5,
    "sources": 4,
    "sinks": 2,
    "expectations": 10,
    "owners": 4,
    "sink_risks": 6,
}
"""Rows by grain of a typical run: 36 in all with its row in `runs`."""

TS = "2026-01-02T03:04:05.000006Z"


def make_record(
    run_id: str,
    *,
    pipeline: str = "pipeline",
    content: str = "first",
    rows: dict[str, int] | None = None,
    ts: str = TS,
) -> Record:
    """Return a record whose rows all differ and name the content they are of."""
    counts = {**(TYPICAL_ROWS if rows is None else rows), "runs": 1}
    key = {"run_id": run_id, "pipeline": pipeline, "ts": ts}
    return {
        grain: [
            {
                **key,
                **{
                    field.name: _value(field.avro_type, f"{content} {grain} {field.name}", row)
                    for field in row_fields(grain)
                },
            }
            for row in range(counts.get(grain, 0))
        ]
        for grain in RUN_GRAINS
    }


def _value(avro_type: Any, text: str, row: int) -> Any:
    if isinstance(avro_type, list):
        return None if row % 2 else _value(avro_type[1], text, row)
    if isinstance(avro_type, dict):
        if avro_type["type"] == "array":
            return [f"{text} {row}.{item}" for item in range(row % 3)]
        return {"team": text, "empty": ""}
    return {"string": f"{text} {row} é", "int": row, "boolean": row % 2 == 0}[avro_type]


def make_declaration(
    location: str, *risk_ids: str, note: str | None = None, ts: str = TS
) -> Record:
    """Return a record of risks that are declared of a location, one without ids of two risks."""
    shared = {"location": location, "ts": ts}
    rows = [
        {
            **{
                field.name: _value(field.avro_type, f"declared {field.name}", row)
                for field in row_fields(SOURCE_RISKS)
            },
            "risk_id": risk_id,
            "note": note,
        }
        for row, risk_id in enumerate(risk_ids or ("risk-1", "risk-2"))
    ]
    return {SOURCE_RISKS: [{**shared, **row} for row in rows]}
