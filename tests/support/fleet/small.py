"""A small fleet, in memory or as the json writer leaves it: every value is chosen by the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformare.fleet import Fleet, merge_records
from conformare.fleet._tables import store_of, timed_row
from conformare.writers._file_names import file_name
from conformare_schemas import RUN_GRAINS, SOURCE_RISKS, row_fields

Rows = list[dict[str, Any]]


def put_run(
    root: Path,
    pipeline: str,
    run_id: str,
    ts: str,
    *,
    run: dict[str, Any] | None = None,
    **grains: Rows,
) -> None:
    """Put a run into a folder, as the json writer would.

    Args:
        root: The folder.
        pipeline: Whose run it is.
        run_id: Its id.
        ts: When it was, in ISO 8601.
        run: Columns of its row in `runs`.
        grains: Rows of its other grains.
    """
    file = root / file_name(pipeline) / f"{file_name(run_id)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    record = recorded(pipeline, run_id, ts, run=run, **grains)
    file.write_text(json.dumps(record), encoding="utf-8")


def recorded(
    pipeline: str, run_id: str, ts: str, *, run: dict[str, Any] | None = None, **grains: Rows
) -> dict[str, Rows]:
    """Return the record of a run.

    Args:
        pipeline: Whose run it is.
        run_id: Its id.
        ts: When it was, in ISO 8601.
        run: Columns of its row in `runs`; it is healthy where they do not say.
        grains: Rows of its other grains; columns that they do not have are empty.
    """
    key = {"run_id": run_id, "pipeline": pipeline, "ts": ts}
    healthy = {"status": "healthy", "ge_evaluated": 1, "schema_version": 1}
    rows = {"runs": [{**healthy, **(run or {})}], **grains}
    return {
        grain: [{**_empty(grain), **key, **row} for row in rows.get(grain, ())]
        for grain in RUN_GRAINS
    }


def fleet_of(*records: dict[str, Rows], now: str = "2026-03-01") -> Fleet:
    """Return the fleet of some records.

    Args:
        records: From `recorded` and `declared`, in the order in which they came.
        now: What ages are counted to.
    """
    return Fleet(store_of(merge_records(records)), now=timed_row({"ts": now})["ts"])


def declared(location: str, risk_id: str, ts: str, **columns: Any) -> dict[str, Rows]:
    """Return the record of a risk that was declared for a location."""
    told = {"location": location, "risk_id": risk_id, "label": risk_id, "severity": "medium"}
    return {SOURCE_RISKS: [{**_empty(SOURCE_RISKS), **told, "ts": ts, "kind": "static", **columns}]}


def context(label: str, impl_hash: str, risk_hash: str = "risks-1") -> dict[str, Any]:
    """Return a row of `contexts`."""
    return {"context_label": label, "impl_hash": impl_hash, "risk_hash": risk_hash}


def risk(risk_id: str, severity: str = "critical", **columns: Any) -> dict[str, Any]:
    """Return a row of `risks` that nobody mitigates or owns, unless the columns say so."""
    return {"risk_id": risk_id, "label": risk_id, "severity": severity, **columns}


def owner(name: str, ref: str, scope: str = "context") -> dict[str, Any]:
    """Return a row of `owners`."""
    role = "context_owner" if scope == "context" else "risk_mitigation"
    return {"owner": name, "scope": scope, "ref": ref, "role": role}


def check(expectation: str, column: str, *, success: bool | None, **columns: Any) -> dict[str, Any]:
    """Return a row of `expectations`."""
    told = {
        "expectation": expectation,
        "column": column,
        "success": success,
        "severity": "critical",
    }
    return {"node": "orders", **told, **columns}


def _empty(grain: str) -> dict[str, Any]:
    return {field.name: _value(field.avro_type) for field in row_fields(grain)}


def _value(avro_type: Any) -> Any:
    if isinstance(avro_type, list):
        return None
    if isinstance(avro_type, dict):
        return [] if avro_type["type"] == "array" else {}
    return {"string": "", "int": 0, "long": 0, "boolean": False}[avro_type]
