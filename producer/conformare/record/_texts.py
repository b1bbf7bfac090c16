"""The texts of a record: whatever is in them, what leaves the job is redacted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    no_info_after_validator_function,
    no_info_before_validator_function,
    str_schema,
    union_schema,
)

from conformare.capture.locations import shown_locations, shown_name, without_credentials

# Only ASCII, for that is always UTF-8. A credential stands behind a ":" or a "=", an address needs
# an "@" or a "%". A plain path or name is a location that stays as it is.
_ENCODABLE = r"^[\x00-\x7f]*$"
_WITHOUT_CREDENTIALS = r"^[\x00-9;<>-\x7f]*$"
_WITHOUT_BOTH = r"^[\x00-$&-9;<>?A-\x7f]*$"
_PLAIN_LOCATION = r"^/?(?:[A-Za-z0-9_.-]*[A-Za-z0-9_-]/)*[A-Za-z0-9_.-]*[A-Za-z0-9_-]$"


@dataclass(frozen=True)
class _Redacted:
    """How a text is redacted.

    Attributes:
        untouched: Pattern of texts that the redaction would return as they are, though not of all
            of these. Most texts of a record are such, and pydantic finds out without calling
            Python for each.
        redaction: What every other text goes through, once UTF-8 can carry it.
    """

    untouched: str
    redaction: Callable[[str], str]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        redacted = no_info_after_validator_function(self.redaction, handler(source))
        return union_schema(
            [
                str_schema(pattern=self.untouched),
                no_info_before_validator_function(_encodable, redacted),
            ],
            mode="left_to_right",
            custom_error_type="string_type",
        )


def _encodable(value: Any) -> Any:
    """Return text that UTF-8 can carry: a file name may hold what it cannot."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _distinct(names: list[str]) -> list[str]:
    """Return names once each: those that were hidden are the same."""
    return list(dict.fromkeys(names))


Key = Annotated[str, _Redacted(_ENCODABLE, str)]
Text = Annotated[str, _Redacted(_WITHOUT_CREDENTIALS, without_credentials)]
Named = Annotated[str, _Redacted(_WITHOUT_BOTH, shown_name)]
"""A text that the pipeline's code or data has named, not its author's own words."""
Location = Annotated[str, _Redacted(_PLAIN_LOCATION, shown_locations)]
Columns = Annotated[list[Named], AfterValidator(_distinct)]
