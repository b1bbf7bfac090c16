"""Governance recording for data pipelines: describe what a pipeline does, record each run."""

from importlib import import_module
from types import ModuleType

from conformare._delivery import delivery_stats, flush
from conformare._delivery_stats import DeliveryStats
from conformare._errors import (
    ConformareError,
    DeliveryError,
    RunEncodingError,
    SpoolError,
    StoreConfigurationError,
    StoreNotConfiguredError,
    UpstreamRiskWarning,
)
from conformare._recording import record_run, record_source_risk
from conformare._stores import configure_store
from conformare.capture import (
    DeclaredSource,
    Risk,
    Store,
    all_risks,
    catalog_by_category,
    classify_column,
    describe,
    describe_process,
    force_profile,
    get_profiles,
    get_risk,
    greatExpectations,
    groups_registry,
    lineage,
    mark_not_sensitive,
    mark_sensitive,
    node_id,
    profile,
    profile_sources,
    record_expectations,
    register_risk,
    release_cache,
    reset_context,
    reset_marks,
    restore,
    risk,
    scan_columns,
    set_profiles,
    sink,
    source,
    store,
    trackSpark,
    unmark_sensitive,
)
from conformare.record import build_model, describe_run, to_run_record
from conformare.upstream import check_upstream_risks

__all__ = [
    "ConformareError",
    "DeclaredSource",
    "DeliveryError",
    "DeliveryStats",
    "Risk",
    "RunEncodingError",
    "SpoolError",
    "Store",
    "StoreConfigurationError",
    "StoreNotConfiguredError",
    "UpstreamRiskWarning",
    "all_risks",
    "build_model",
    "catalog_by_category",
    "check_upstream_risks",
    "classify_column",
    "configure_store",
    "delivery_stats",
    "describe",
    "describe_process",
    "describe_run",
    "flush",
    "force_profile",
    "get_profiles",
    "get_risk",
    "greatExpectations",
    "groups_registry",
    "lineage",
    "mark_not_sensitive",
    "mark_sensitive",
    "node_id",
    "profile",
    "profile_sources",
    "record_expectations",
    "record_run",
    "record_source_risk",
    "register_risk",
    "release_cache",
    "reset_context",
    "reset_marks",
    "restore",
    "risk",
    "scan_columns",
    "set_profiles",
    "sink",
    "source",
    "store",
    "to_run_record",
    "trackSpark",
    "unmark_sensitive",
]


def __getattr__(name: str) -> ModuleType:
    """Import `conformare.fleet` when it is asked for: a job that only records does without."""
    if name != "fleet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("conformare.fleet")
