"""Where data lies, and other text: without credentials, row values and addresses of persons."""

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._labels import (
    label_of_path,
    label_of_table,
    last_segment,
    without_extension,
)
from conformare.capture.locations._queries import shown_query, shown_table
from conformare.capture.locations._redacted import (
    BETWEEN,
    joined_with_table,
    redacted,
    shown_locations,
    shown_name,
    shown_tag,
    without_credentials,
)

__all__ = [
    "BETWEEN",
    "HIDDEN",
    "joined_with_table",
    "label_of_path",
    "label_of_table",
    "last_segment",
    "redacted",
    "shown_locations",
    "shown_name",
    "shown_query",
    "shown_table",
    "shown_tag",
    "without_addresses",
    "without_credentials",
    "without_extension",
]
