"""The fleet: ask about the recorded runs."""

from conformare._errors import UpstreamRiskWarning
from conformare._run_writer import RunWriter, run_id_of
from conformare._stores import get_store_config, reset_store_config
from conformare.fleet._api import (
    last_healthy_run,
    owner_pipelines,
    read_store,
    review_report,
    sinks_as_of,
    to_html,
    upstream_risks,
)
from conformare.fleet._fleet import EVERYTHING, Filters, Fleet
from conformare.fleet._tables import Tables, merge_records
from conformare.fleet.stores import PipelineKey, RowStore, RunKey, open_store
from conformare.writers import (
    CallableWriter,
    JsonWriter,
    ParquetWriter,
    SparkTableWriter,
    make_writer,
)
from conformare_schemas import CONTRACT_VERSION as SCHEMA_VERSION
from conformare_schemas import GRAINS

__all__ = [
    "EVERYTHING",
    "GRAINS",
    "SCHEMA_VERSION",
    "CallableWriter",
    "Filters",
    "Fleet",
    "JsonWriter",
    "ParquetWriter",
    "PipelineKey",
    "RowStore",
    "RunKey",
    "RunWriter",
    "SparkTableWriter",
    "Tables",
    "UpstreamRiskWarning",
    "get_store_config",
    "last_healthy_run",
    "make_writer",
    "merge_records",
    "open_store",
    "owner_pipelines",
    "read_store",
    "reset_store_config",
    "review_report",
    "run_id_of",
    "sinks_as_of",
    "to_html",
    "upstream_risks",
]
