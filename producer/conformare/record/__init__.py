"""The record of a run: what was captured, as rows of every grain."""

from conformare.record._arguments import parsed_ts, utc_ts, validated_pipeline, validated_run_id
from conformare.record._build import run_status, to_run_record
from conformare.record._declaration import source_risk_record
from conformare.record._model import build_model
from conformare.record._tree import describe_run

__all__ = [
    "build_model",
    "describe_run",
    "parsed_ts",
    "run_status",
    "source_risk_record",
    "to_run_record",
    "utc_ts",
    "validated_pipeline",
    "validated_run_id",
]
