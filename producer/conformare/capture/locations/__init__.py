"""Where data lies, and other text, without credentials and without addresses of persons."""

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._path import (
    label_of_path,
    label_of_table,
    last_segment,
    without_extension,
)
from conformare.capture.locations._redacted import redacted, without_credentials

__all__ = [
    "HIDDEN",
    "label_of_path",
    "label_of_table",
    "last_segment",
    "redacted",
    "without_addresses",
    "without_credentials",
    "without_extension",
]
