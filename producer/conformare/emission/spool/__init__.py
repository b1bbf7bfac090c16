"""The spool: emissions on this machine's disk, from `record_run` until they are acknowledged."""

from conformare.emission.spool._file import (
    TOPIC_PREFIX_PATTERN,
    Destination,
    SpooledEmission,
    recorded_at,
)
from conformare.emission.spool._folder import write_synced
from conformare.emission.spool._lock import HAS_LOCKS, FileLock
from conformare.emission.spool._ownership import own_content, require_own
from conformare.emission.spool._place import default_spool_folder
from conformare.emission.spool._spool import DEFAULT_MAX_BYTES, Spool

__all__ = [
    "DEFAULT_MAX_BYTES",
    "HAS_LOCKS",
    "TOPIC_PREFIX_PATTERN",
    "Destination",
    "FileLock",
    "Spool",
    "SpooledEmission",
    "default_spool_folder",
    "own_content",
    "recorded_at",
    "require_own",
    "write_synced",
]
