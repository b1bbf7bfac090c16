"""How a task tells the driver what it found: one row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from conformare_sink.executors.found import Found
from conformare_sink.lake.halves import DIGEST_BYTES
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.messages.emission import IDENTITY_BYTES, Decision

MOST_UNRESOLVED = 2_000
"""Schema ids that a task tells of: more than are asked for at a time, so that it is known that some
are left out, which are found in quarantine."""

REPLY = (
    "told string, landed binary, recorded binary, rejected binary, waiting binary, "
    "identities map<string, binary>"
)
"""The columns of the row, as Spark names their types."""

_COLUMNS = pa.schema(
    [
        ("told", pa.string()),
        *((name, pa.binary()) for name in ("landed", "recorded", "rejected", "waiting")),
        ("identities", pa.map_(pa.string(), pa.binary())),
    ]
)


def reply_of(found: Found) -> pa.RecordBatch:
    """Return what a task found as a row."""
    told = {
        "messages": found.messages,
        "files": {t: [asdict(file) for file in files] for t, files in found.files.items()},
        "decisions": {decision.name: n for decision, n in found.decisions.items()},
        "sequences": {name: numbers.tolist() for name, numbers in found.sequences.items()},
        "unresolved": sorted(found.unresolved)[:MOST_UNRESOLVED],
        "heavy": found.heavy,
        "fault": found.fault,
    }
    row = {
        "told": json.dumps(told),
        "landed": found.landed,
        "recorded": found.recorded.tobytes(),
        "rejected": b"".join(found.rejected),
        "waiting": _packed(found.waiting),
        "identities": {d.name: b"".join(those) for d, those in found.identities.items()},
    }
    return pa.RecordBatch.from_pylist([row], schema=_COLUMNS)


def read_replies(rows: pa.Table) -> Found:
    """Return what all tasks found together."""
    found = Found()
    for row in rows.to_pylist():
        told = json.loads(row["told"])
        found.add(
            Found(
                messages=told["messages"],
                files={t: [DataFile(**one) for one in those] for t, those in told["files"].items()},
                decisions=Counter({Decision[name]: n for name, n in told["decisions"].items()}),
                landed=row["landed"],
                recorded=np.frombuffer(row["recorded"], np.float64),
                waiting=_unpacked(row["waiting"]),
                rejected=[*_pieces(row["rejected"], DIGEST_BYTES)],
                identities={
                    Decision[name]: [*_pieces(those, IDENTITY_BYTES)]
                    for name, those in row["identities"]
                },
                sequences={
                    name: np.array(numbers, np.int64) for name, numbers in told["sequences"].items()
                },
                unresolved={*told["unresolved"]},
                heavy=told["heavy"],
                fault=told["fault"],
            )
        )
    return found


def _pieces(joined: bytes, size: int) -> Iterator[bytes]:
    return (joined[at : at + size] for at in range(0, len(joined), size))


def _packed(tables: list[pa.Table]) -> bytes | None:
    if not tables:
        return None
    sink = pa.BufferOutputStream()
    table = pa.concat_tables(tables)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _unpacked(content: bytes | None) -> list[pa.Table]:
    return [] if content is None else [pa.ipc.open_stream(content).read_all()]
