"""Where data lies, and other text: without credentials, row values and addresses of persons."""

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._labels import (
    label_of_path,
    label_of_table,
    last_segment,
    without_extension,
)
from conformare.capture.locations._pairs import shown_pairs
from conformare.capture.locations._places import place_named
from conformare.capture.locations._queries import is_query, shown_query, shown_table
from conformare.capture.locations._redacted import (
    BETWEEN,
    as_recorded,
    joined_with_table,
    redacted,
    shown_locations,
    shown_name,
    shown_options,
    shown_tag,
    without_credentials,
)
from conformare.capture.locations._services import path_of_servers, shown_service
from conformare.capture.locations._url import SAME_STORE

__all__ = [
    "BETWEEN",
    "HIDDEN",
    "SAME_STORE",
    "as_recorded",
    "is_query",
    "joined_with_table",
    "label_of_path",
    "label_of_table",
    "last_segment",
    "path_of_servers",
    "place_named",
    "redacted",
    "shown_locations",
    "shown_name",
    "shown_options",
    "shown_pairs",
    "shown_query",
    "shown_service",
    "shown_table",
    "shown_tag",
    "without_addresses",
    "without_credentials",
    "without_extension",
]
