"""The fleet: what the recorded runs say."""

from conformare.fleet._api import (
    last_healthy_run,
    owner_pipelines,
    read_store,
    review_report,
    sinks_as_of,
    upstream_risks,
)
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet._tables import Tables, merge_records
from conformare.fleet.stores import PipelineKey, RowStore, RunKey, open_store

__all__ = [
    "EVERYTHING",
    "Filters",
    "Fleet",
    "PipelineKey",
    "RowStore",
    "RunKey",
    "Tables",
    "last_healthy_run",
    "merge_records",
    "open_store",
    "owner_pipelines",
    "read_store",
    "review_report",
    "sinks_as_of",
    "upstream_risks",
]
