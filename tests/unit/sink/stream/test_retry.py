"""What a start of the sink costs where nothing is in quarantine."""

from __future__ import annotations

from typing import cast

from conformare_sink.lake.lake import Lake
from conformare_sink.landing.landing import Landing
from conformare_sink.stream.retry import retry_newly_readable


class Clean:
    """A lake without anything in quarantine, whose tables nobody may look at."""

    def has_quarantined(self) -> bool:
        """No."""
        return False


def test_nothing_is_read_where_nothing_is_in_quarantine() -> None:
    """No Spark job, no table."""
    lake, landing = cast("Lake", Clean()), cast("Landing", object())
    assert retry_newly_readable(lake, landing) is None
