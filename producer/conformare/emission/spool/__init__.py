"""The spool: emissions on this machine's disk, from `record_run` until they are acknowledged."""

from conformare.emission.spool._file import Destination, SpooledEmission, recorded_at
from conformare.emission.spool._lock import HAS_LOCKS
from conformare.emission.spool._place import default_spool_folder
from conformare.emission.spool._spool import Spool

__all__ = [
    "HAS_LOCKS",
    "Destination",
    "Spool",
    "SpooledEmission",
    "default_spool_folder",
    "recorded_at",
]
