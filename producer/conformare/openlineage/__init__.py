"""The runs of a store as events of OpenLineage, for Marquez, DataHub, OpenMetadata and others."""

from conformare.openlineage._events import (
    Naming,
    RunEvents,
    openlineage_run_id,
    run_events,
)
from conformare.openlineage._export import Exported, export_runs
from conformare.openlineage._names import DatasetName, dataset_names
from conformare.openlineage._published import published_schema, schema_url
from conformare.openlineage._sent import CursorError, Sent, sent_runs

__all__ = [
    "CursorError",
    "DatasetName",
    "Exported",
    "Naming",
    "RunEvents",
    "Sent",
    "dataset_names",
    "export_runs",
    "openlineage_run_id",
    "published_schema",
    "run_events",
    "schema_url",
    "sent_runs",
]
