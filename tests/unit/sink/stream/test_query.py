"""The end of a query: never in the middle of a batch, and never waiting for itself."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from pyspark.sql import DataFrame

from conformare_sink.stream.query import LandingQuery

PATIENCE_SECONDS = 10.0


class Spark:
    """A query of Spark's, as far as its end is concerned: it waits for the query's own thread."""

    def __init__(self) -> None:
        self.thread = threading.Thread(target=self._begin_a_batch, daemon=True)
        self._land: Callable[[DataFrame, int], None]

    def __getattr__(self, _name: str) -> Callable[..., Spark]:
        return lambda *_, **__: self

    @property
    def writeStream(self) -> Spark:
        """What the query is made with."""
        return self

    def foreachBatch(self, land: Callable[[DataFrame, int], None]) -> Spark:
        """Keep what is called with each batch."""
        self._land = land
        return self

    def stop(self) -> None:
        """Begin a batch just then, and wait for it."""
        self.thread.start()
        self.thread.join(PATIENCE_SECONDS)

    def _begin_a_batch(self) -> None:
        try:
            self._land(cast(DataFrame, None), 7)
        except Exception:
            logging.getLogger("py4j.clientserver").exception("as py4j tells of it")


def test_a_batch_that_begins_while_the_query_is_stopped_ends_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not landed, the stop does not wait for it for ever, and nobody reads of an exception."""
    landed: list[Any] = []
    spark = Spark()
    query = LandingQuery(cast(DataFrame, spark), {}, lambda *batch: landed.append(batch), None)
    query.stop()
    assert not spark.thread.is_alive()
    assert landed == []
    assert caplog.text == ""
