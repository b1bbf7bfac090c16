"""How a task tells the driver what it found: one row."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from conformare_sink.executors.found import Found
from conformare_sink.lake.halves import DIGEST_BYTES
from conformare_sink.lake.tables.data_file import DataFile
from conformare_sink.messages.emission import IDENTITY_BYTES, Decision

REPLY = "told string, landed binary, named binary, recorded binary, rejected binary, waiting binary"
"""The columns of the row, as Spark names their types."""

_COLUMNS = pa.schema(
    [
        ("told", pa.string()),
        *((name, pa.binary()) for name in ("landed", "named", "recorded", "rejected", "waiting")),
    ]
)


def reply_of(found: Found) -> pa.RecordBatch:
    """Return what a task found as a row."""
    named: dict[Decision, list[bytes]] = defaultdict(list)
    for identity, decision in found.named.items():
        named[decision].append(identity)
    told = {
        "messages": found.messages,
        "files": {t: [asdict(file) for file in files] for t, files in found.files.items()},
        "decisions": {decision.name: n for decision, n in found.decisions.items()},
        "sequences": {producer: [*numbers] for producer, numbers in found.sequences.items()},
        "named": {decision.name: len(those) for decision, those in named.items()},
        "heavy": found.heavy,
        "fault": found.fault,
    }
    row = {
        "told": json.dumps(told),
        "landed": b"".join(found.landed),
        "named": b"".join(one for those in named.values() for one in those),
        "recorded": np.array(found.recorded, np.float64).tobytes(),
        "rejected": b"".join(found.rejected),
        "waiting": _packed(found.waiting),
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
                named=_named(told["named"], row["named"]),
                landed=[*_digests(row["landed"])],
                recorded=np.frombuffer(row["recorded"], np.float64).tolist(),
                waiting=_unpacked(row["waiting"]),
                rejected=[*_digests(row["rejected"])],
                sequences={name: {*numbers} for name, numbers in told["sequences"].items()},
                heavy=told["heavy"],
                fault=told["fault"],
            )
        )
    return found


def _digests(joined: bytes) -> Iterator[bytes]:
    return (joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES))


def _named(counts: Mapping[str, int], joined: bytes) -> dict[bytes, Decision]:
    decisions = (Decision[name] for name, n in counts.items() for _ in range(n))
    identities = (joined[at : at + IDENTITY_BYTES] for at in range(0, len(joined), IDENTITY_BYTES))
    return dict(zip(identities, decisions, strict=True))


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
