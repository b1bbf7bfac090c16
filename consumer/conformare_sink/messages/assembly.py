"""Messages become emissions, and emissions rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from conformare_schemas import EMISSION_COLUMN, KEY_COLUMNS, arrow_schema, table_columns
from conformare_sink.messages.decode import Decoded
from conformare_sink.messages.emission import Emission, EmissionKey, Piece
from conformare_sink.messages.envelope import Envelope

Parts = Mapping[Piece, Envelope]
"""One message for every piece of an emission, however often each came."""


def assemble(envelopes: Iterable[Envelope]) -> dict[EmissionKey, Parts]:
    """Bring the messages of each emission together; of repeated ones the first to arrive."""
    emissions: dict[EmissionKey, dict[Piece, Envelope]] = defaultdict(dict)
    for envelope in envelopes:
        key = EmissionKey(envelope.pipeline, envelope.run_id, envelope.emission_id)
        piece = Piece(envelope.grain, envelope.first_row, envelope.n_rows)
        there = emissions[key].setdefault(piece, envelope)
        if envelope.message.arrival < there.message.arrival:
            emissions[key][piece] = envelope
    return dict(emissions)


def emission(key: EmissionKey, parts: Parts) -> Emission:
    """Return what there is of an emission."""
    runs = parts.get(Piece("runs", 0, 1))
    return Emission(
        key=key,
        pieces=frozenset(parts),
        row_counts=None if runs is None else runs.row_counts,
        last_arrival=max(part.message.arrival for part in parts.values()),
    )


def table_rows(decoded: Decoded, landing: Collection[Parts]) -> dict[str, pa.Table]:
    """Return the rows of the emissions that land, as their tables hold them, by grain.

    Args:
        decoded: What the messages hold.
        landing: The parts of complete emissions.
    """
    by_grain: dict[str, list[Envelope]] = defaultdict(list)
    for parts in landing:
        for envelope in parts.values():
            by_grain[envelope.grain].append(envelope)
    return {
        grain: _table(grain, decoded.rows[grain], envelopes)
        for grain, envelopes in by_grain.items()
    }


def _table(grain: str, rows: pa.Table, envelopes: Sequence[Envelope]) -> pa.Table:
    counts = np.array([e.n_rows for e in envelopes])
    ends = np.cumsum(counts)
    # Rows of one message stand side by side, here and among those decoded.
    own = np.arange(ends[-1]) + np.repeat([e.at for e in envelopes] - ends + counts, counts)
    owner = np.repeat(np.arange(len(envelopes)), counts)
    schema = arrow_schema(table_columns(grain))
    columns = dict(zip(rows.column_names, rows.take(own).columns, strict=True))
    for name in (*KEY_COLUMNS, EMISSION_COLUMN):
        values = pa.array([getattr(e, name) for e in envelopes], schema.field(name).type)
        columns[name] = values.take(owner)
    return pa.table([columns[name] for name in schema.names], schema=schema)
