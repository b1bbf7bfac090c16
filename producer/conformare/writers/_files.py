"""The file writers: one JSON document per run, or one Parquet file per grain of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal

from pydantic import Field

from conformare._errors import StoreConfigurationError
from conformare._identity import new_emission_id
from conformare._options import WriterOptions
from conformare._run_writer import RunRecord, is_declaration
from conformare.record import parsed_ts
from conformare.writers._file_names import file_name
from conformare_schemas import CHILD_GRAINS, SOURCE_RISKS, arrow_schema, table_columns

DECLARATIONS = "_static"
"""Folder of the JSON writer; no pipeline has one of that name."""


FolderOfFiles = Annotated[
    str,
    Field(
        min_length=1,
        repr=False,
        description="Folder that the writers `json` and `parquet` write to.",
    ),
]


class JsonOptions(WriterOptions):
    """Options of the JSON writer."""

    writer: Literal["json"] = "json"
    # A run lands at `<path>/<pipeline>/<run_id>.json`, names as `file_name` writes them, and what is
    # declared of a location at `<path>/_static/<UUIDv7>.json`.
    path: FolderOfFiles


class ParquetOptions(WriterOptions):
    """Options of the Parquet writer."""

    writer: Literal["parquet"] = "parquet"
    # A run lands at `<path>/<grain>/pipeline=<pipeline>/<run_id>.parquet`, names as `file_name` writes
    # them, and what is declared of a location at `<path>/source_risks/<UUIDv7>.parquet`.
    path: FolderOfFiles


def _put(final: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing, even after a crash."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=final.parent, prefix=".", suffix=".part", delete=False) as part:
        part.write(content)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).replace(final)


class JsonWriter:
    """Writes each record as one JSON document; the first record of a run stays.

    Args:
        options: Where to.
    """

    def __init__(self, options: JsonOptions) -> None:
        self._root = Path(options.path)

    def write(self, record: RunRecord) -> None:
        """Write the record, unless its run is there already; each declaration gets a file."""
        text = json.dumps(record, indent=2, ensure_ascii=False)
        if is_declaration(record):
            _put(self._root / DECLARATIONS / f"{new_emission_id()}.json", text.encode())
            return
        run = record["runs"][0]
        if not self.has_run(run["pipeline"], run["run_id"]):
            _put(self._file(run["pipeline"], run["run_id"]), text.encode())

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether the run is in the store."""
        return self._file(pipeline, run_id).exists()

    def _file(self, pipeline: str, run_id: str) -> Path:
        return self._root / file_name(pipeline) / f"{file_name(run_id)}.json"


class ParquetWriter:
    """Writes each grain of a record as one Parquet file, `runs` last; the first record stays.

    Args:
        options: Where to.

    Raises:
        StoreConfigurationError: pyarrow is not installed.
    """

    def __init__(self, options: ParquetOptions) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as exc:
            raise StoreConfigurationError(
                'the parquet writer needs pyarrow: pip install "conformare-stream[parquet]"'
            ) from exc
        self._arrow, self._parquet = pa, pq
        self._root = Path(options.path)

    def write(self, record: RunRecord) -> None:
        """Write the record, unless its run is there already.

        A crash in between leaves files without their run; writing the run again replaces them.
        Each declaration gets a file.
        """
        emission_id = new_emission_id()
        if is_declaration(record):
            content = self._encode(SOURCE_RISKS, record[SOURCE_RISKS], emission_id)
            _put(self._root / SOURCE_RISKS / f"{emission_id}.parquet", content)
            return
        run = record["runs"][0]
        if self.has_run(run["pipeline"], run["run_id"]):
            return
        for grain in (*CHILD_GRAINS, "runs"):
            final = self._file(grain, run["pipeline"], run["run_id"])
            if record[grain]:
                _put(final, self._encode(grain, record[grain], emission_id))
            else:
                final.unlink(missing_ok=True)

    def has_run(self, pipeline: str, run_id: str) -> bool:
        """Return whether the run is in the store, whole."""
        return self._file("runs", pipeline, run_id).exists()

    def _file(self, grain: str, pipeline: str, run_id: str) -> Path:
        folder = self._root / grain / f"pipeline={file_name(pipeline)}"
        return folder / f"{file_name(run_id)}.parquet"

    def _encode(self, grain: str, rows: list[dict[str, Any]], emission_id: str) -> bytes:
        pa = self._arrow
        schema = arrow_schema(table_columns(grain))
        typed = [
            {
                **row,
                "ts": parsed_ts(row["ts"]),
                "emission_id": emission_id,
            }
            for row in rows
        ]
        sink = pa.BufferOutputStream()
        self._parquet.write_table(pa.Table.from_pylist(typed, schema=schema), sink)
        content: bytes = sink.getvalue().to_pybytes()
        return content
