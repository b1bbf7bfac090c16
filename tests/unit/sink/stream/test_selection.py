"""Where a replay begins in each partition."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import cast

import pytest

from conformare_sink.errors import TopicsMissingError
from conformare_sink.kafka.offsets import PartitionOffsets
from conformare_sink.kafka.topics import Topics
from conformare_sink.stream.replay import Selection

SINCE = datetime(2026, 1, 2, tzinfo=timezone.utc)
FIRST: PartitionOffsets = {("runs", 0): 10, ("runs", 1): 0}
LATER: PartitionOffsets = {("runs", 0): 40, ("runs", 1): 70}
END: PartitionOffsets = {("runs", 0): 100, ("runs", 1): 70}


class Stub:
    """Topics that have lost their first messages by age."""

    bootstrap_servers = "broker:9092"

    def starts(self, since: datetime | None) -> PartitionOffsets:
        """Of all messages, or since a time."""
        return FIRST if since is None else LATER

    def ends(self) -> PartitionOffsets:
        """Where the next message goes."""
        return END


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), FIRST),
        (Selection(since=SINCE), LATER),
        (Selection(from_offsets={("runs", 0): 50}), {("runs", 0): 50, ("runs", 1): 0}),
        (Selection(from_offsets={("runs", 0): 3}), FIRST),
        (Selection(from_offsets={("runs", 0): 999}), {("runs", 0): 100, ("runs", 1): 0}),
        (Selection(since=SINCE, from_offsets={("runs", 0): 20}), LATER),
        (Selection(to_offsets={("runs", 0): 20}), FIRST),
    ],
)
def test_it_begins_at_the_latest_of_all_conditions_where_there_are_messages(
    selection: Selection, expected: PartitionOffsets
) -> None:
    """Spark would not start at an offset that a partition does not have."""
    assert selection.starts(cast("Topics", Stub())) == expected


@pytest.mark.parametrize(
    "selection",
    [Selection(from_offsets={("risks", 7): 1}), Selection(to_offsets={("risks", 7): 1})],
)
def test_a_partition_that_does_not_exist_is_named(selection: Selection) -> None:
    """Otherwise a wrong prefix would replay everything."""
    with pytest.raises(TopicsMissingError, match="no partition 7 of a topic risks"):
        selection.starts(cast("Topics", Stub()))
