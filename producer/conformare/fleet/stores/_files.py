"""Folders that the json and the parquet writer fill, as a store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from conformare._errors import FleetError
from conformare.fleet.stores._rows import RowStore
from conformare.fleet.stores._store import Row
from conformare.record import parsed_ts
from conformare_schemas import (
    CONTRACT_VERSION,
    EMISSION_COLUMN,
    GRAINS,
    KEY_COLUMNS,
    table_columns,
)
from conformare_schemas.store import explain

ACKNOWLEDGEMENTS = "_acknowledgements"
"""A folder beside the runs: names of pipelines never begin with `_` there."""
STATIC = "_static"
"""The folder of the json writer for what was declared of a location."""

_TIMES = ("ts", "acknowledged_at")


def is_json_store(root: Path) -> bool:
    """Return whether a folder is one of the json writer."""
    return any(file.parent.name != "_delta_log" for file in root.glob("*/*.json"))


def is_parquet_store(root: Path) -> bool:
    """Return whether a folder is one of the parquet writer."""
    return any(root.glob("runs/pipeline=*/*.parquet"))


def json_store(root: Path) -> RowStore:
    """Return what the json writer has put into a folder.

    Raises:
        FleetError: A file is damaged, or of a later release.
    """
    tables: dict[str, list[Row]] = {grain: [] for grain in GRAINS}
    for file in sorted(root.glob("*/*.json")):
        if file.parent.name == ACKNOWLEDGEMENTS:
            continue
        record = _document(file)
        grains = [grain for grain in tables if isinstance(record.get(grain), list)]
        if not grains:
            raise _no_record(file)
        for grain in grains:
            tables[grain] += [_row(grain, row, file) for row in record[grain]]
    return _store(root, tables)


def parquet_store(root: Path) -> RowStore:
    """Return what the parquet writer has put into a folder.

    Raises:
        FleetError: pyarrow is not installed, a file is damaged, or of a later release.
    """
    tables = {grain: list(_parquet_rows(root / grain, grain)) for grain in GRAINS}
    return _store(root, tables)


def _store(root: Path, tables: dict[str, list[Row]]) -> RowStore:
    newest = max((run["schema_version"] or 0 for run in tables["runs"]), default=0)
    if newest > CONTRACT_VERSION:
        raise FleetError(
            f"{root} has runs of version {newest} of the contract, and this release knows "
            f"{CONTRACT_VERSION}: upgrade conformare-stream here"
        )
    folder = root / ACKNOWLEDGEMENTS
    tables["acknowledgements"] = [_timed(_document(f), f) for f in sorted(folder.glob("*.json"))]

    def acknowledge(row: Row) -> None:
        text = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
        try:
            folder.mkdir(exist_ok=True)
            # Made under another name, so that no reader sees a part of it.
            part = folder / f".{uuid.uuid4().hex}"
            part.write_text(json.dumps(text, indent=2, ensure_ascii=False), encoding="utf-8")
            part.rename(folder / f"{uuid.uuid4().hex}.json")
        except OSError as exc:
            raise FleetError(
                f"{folder} cannot be written: {explain(exc, '', writes=True)}"
            ) from exc

    return RowStore(str(root), tables, acknowledge)


def _document(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise FleetError(f"{file} cannot be read: {explain(exc, '', writes=False)}") from exc
    except (ValueError, RecursionError) as exc:
        raise FleetError(f"{file} is damaged: restore or remove it") from exc
    if not isinstance(found, dict):
        raise _no_record(file)
    return found


def _parquet_rows(folder: Path, grain: str) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in sorted(folder.rglob("*.parquet")):
        try:
            found = pq.ParquetFile(pa.BufferReader(file.read_bytes())).read()
        except (pa.ArrowException, OSError) as exc:
            if isinstance(exc, OSError) and exc.errno is not None:
                raise FleetError(
                    f"{file} cannot be read: {explain(exc, '', writes=False)}"
                ) from exc
            raise FleetError(f"{file} is damaged: restore or remove it") from exc
        for row in found.to_pylist():
            tags = {"tags": dict(row["tags"] or ())} if "tags" in row else {}
            yield _row(grain, {**row, **tags}, file)


def _row(grain: str, row: Any, file: Path) -> Row:
    """Return a row of a file with all columns of its grain; an earlier release has fewer."""
    empty = {c.name: None for c in table_columns(grain) if c.name != EMISSION_COLUMN}
    key = [name for name in KEY_COLUMNS if name in empty]
    if not isinstance(row, dict) or any(row.get(name) is None for name in key):
        raise _no_record(file)
    return _timed({**empty, **row}, file)


def _timed(row: Mapping[str, Any], file: Path) -> Row:
    try:
        times = {name: parsed_ts(row[name]) for name in _TIMES if isinstance(row.get(name), str)}
    except ValueError as exc:
        raise FleetError(f"{file} is damaged: restore or remove it") from exc
    return {**row, **times}


def _no_record(file: Path) -> FleetError:
    return FleetError(f"{file} is not a record of a run: remove it")
