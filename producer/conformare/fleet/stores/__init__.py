"""Where recorded runs are read from: lakes, folders of files, rows in memory."""

from conformare.fleet.stores._open import open_store
from conformare.fleet.stores._order import (
    by_pipeline,
    fingerprints,
    joined_segments,
    order_of,
    pipeline_order,
    segments_of,
)
from conformare.fleet.stores._rows import RowStore
from conformare.fleet.stores._store import (
    STRIP_COLUMNS,
    Changes,
    ContextKey,
    ExpectationCount,
    FleetStore,
    OwnerSeen,
    PipelineKey,
    Row,
    RunKey,
    Segment,
    is_evaluated,
)

__all__ = [
    "STRIP_COLUMNS",
    "Changes",
    "ContextKey",
    "ExpectationCount",
    "FleetStore",
    "OwnerSeen",
    "PipelineKey",
    "Row",
    "RowStore",
    "RunKey",
    "Segment",
    "by_pipeline",
    "fingerprints",
    "is_evaluated",
    "joined_segments",
    "open_store",
    "order_of",
    "pipeline_order",
    "segments_of",
]
