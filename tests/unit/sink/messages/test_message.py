"""Kafka messages out of Arrow: what a hostile producer's clock says can be held."""

from __future__ import annotations

import pyarrow as pa
import pytest

from conformare_sink.messages.message import LATEST_TIME, Message, message_columns, messages_of


@pytest.mark.parametrize("moment", [-1_000, 0, LATEST_TIME, LATEST_TIME + 1, 2**63 - 1])
def test_times_beyond_what_readers_can_hold_are_the_last_that_they_can(moment: int) -> None:
    """And it is the same when it is read again: by it a message is known."""
    message = Message(b"k", b"v", "topic", 0, 1, moment)
    (found,) = messages_of(pa.table(message_columns([message])))
    assert found == message._replace(timestamp=min(moment, LATEST_TIME))
    assert messages_of(pa.table(message_columns([found]))) == [found]
