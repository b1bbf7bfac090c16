"""Where data lies, and other text, without credentials and without addresses of persons."""

from conformare.capture.locations._redacted import (
    HIDDEN,
    label_of_path,
    label_of_table,
    last_segment,
    redacted,
    without_addresses,
    without_credentials,
    without_extension,
)

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
