"""The record of a run: what was captured, as rows of every grain."""

from conformare.record._arguments import parsed_ts, utc_ts, validated_pipeline, validated_run_id
from conformare.record._build import run_status, to_run_record
from conformare.record._models import ROW_MODELS, Row

__all__ = [
    "ROW_MODELS",
    "Row",
    "parsed_ts",
    "run_status",
    "to_run_record",
    "utc_ts",
    "validated_pipeline",
    "validated_run_id",
]
