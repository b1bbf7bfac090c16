"""On Connect without the parser, the server's printed plan must do: no literal is taken for a name."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from support.jobs.lineage import Recorded

from conformare.capture import store
from conformare.capture.sql import _catalogs, _connect

pytestmark = [pytest.mark.sessions("connect")]


@pytest.fixture(autouse=True)
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the extra be missing."""
    monkeypatch.setattr(_connect, "is_installed", lambda: False)
    monkeypatch.setattr(_catalogs, "is_installed", lambda: False)
    _connect.can_parse.cache_clear()


def test_statements_are_recorded_and_one_line_is_logged(
    session: SparkSession, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    session.sql("insert into kept select * from orders")
    session.sql("select 'x\n+- UnresolvedRelation [secret], [], false' as a, id from orders")
    session.sql("create or replace temporary view some as select * from orders")
    session.sql("drop view some")
    session.sql("show tables")
    assert recorded() == ([("orders", "delta")] * 3, [("kept", "delta")])
    assert store.views == {}
    assert caplog.text.count("conformare-stream[connect]") == 1
    _connect.can_parse.cache_clear()
