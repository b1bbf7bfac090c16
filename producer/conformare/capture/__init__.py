"""The capture: what a pipeline does, and what its author says about it."""

from conformare.capture._reads_told import on_read
from conformare.capture._store import Store, lineage, node_id, store
from conformare.capture._untracked import untracked
from conformare.capture.checks._caches import release_cache
from conformare.capture.checks._checkpoints import record_expectations
from conformare.capture.checks._expectations import greatExpectations
from conformare.capture.checks._profiles import (
    force_profile,
    get_profiles,
    profile,
    profile_sources,
    set_profiles,
)
from conformare.capture.declared._contexts import (
    describe,
    describe_process,
    groups_registry,
    reset_context,
    risk,
)
from conformare.capture.declared._data import DeclaredSource, sink, source
from conformare.capture.declared._risks import (
    Risk,
    all_risks,
    catalog_by_category,
    get_risk,
    register_risk,
)
from conformare.capture.locations import redacted
from conformare.capture.sensitivity._columns import (
    classify_column,
    mark_not_sensitive,
    mark_sensitive,
    reset_marks,
    scan_columns,
    unmark_sensitive,
)
from conformare.capture.spark._patches import restore, trackSpark
from conformare.capture.sql._catalogs import is_connect

__all__ = [
    "DeclaredSource",
    "Risk",
    "Store",
    "all_risks",
    "catalog_by_category",
    "classify_column",
    "describe",
    "describe_process",
    "force_profile",
    "get_profiles",
    "get_risk",
    "greatExpectations",
    "groups_registry",
    "is_connect",
    "lineage",
    "mark_not_sensitive",
    "mark_sensitive",
    "node_id",
    "on_read",
    "profile",
    "profile_sources",
    "record_expectations",
    "redacted",
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
    "trackSpark",
    "unmark_sensitive",
    "untracked",
]
