"""The spool: emissions on this machine's disk, from `record_run` until they are acknowledged."""

from conformare.emission.spool._file import Destination, SpooledEmission, recorded_at
from conformare.emission.spool._place import default_spool_folder
from conformare.emission.spool._spool import Spool

__all__ = ["Destination", "Spool", "SpooledEmission", "default_spool_folder", "recorded_at"]
