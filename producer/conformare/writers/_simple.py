"""The writers that keep nothing themselves: a function of the user's own, and none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from conformare._options import WriterOptions
from conformare._run_writer import RunRecord
from conformare_schemas.settings import About


class CallableOptions(WriterOptions):
    """Options of the writer that is a function of the user's own."""

    writer: Literal["callable"] = "callable"
    function: Annotated[Callable[[RunRecord], object], About(of_job_only=True)] = Field(
        repr=False, description="What takes each record."
    )


class CallableWriter:
    """Hands each record to a function; what that raises reaches the caller.

    Args:
        options: Holds the function.
    """

    def __init__(self, options: CallableOptions) -> None:
        self._function = options.function

    def write(self, record: RunRecord) -> None:
        """Call the function with the record."""
        self._function(record)


class NoneOptions(WriterOptions):
    """Options of the writer that records nothing."""

    writer: Literal["none"] = "none"


class NoneWriter:
    """Takes each record and does nothing with it: for trials, and to switch recording off.

    Args:
        options: There are none.
    """

    def __init__(self, options: NoneOptions) -> None:
        self.options = options

    def write(self, record: RunRecord) -> None:
        """Do nothing."""
