"""What the pipeline tells of itself is tested like what it computes."""

from __future__ import annotations

from pathlib import Path

from daily_orders import count_orders

import conformare as cf
from conformare.testing import InMemoryWriter


def test_each_risk_is_owned_and_mitigated(tmp_path: Path, recorded_runs: InMemoryWriter) -> None:
    """Somebody who adds a risk says who answers for it, and what is done about it."""
    (tmp_path / "orders.csv").write_text("id,day\n1,mon\n2,tue\n3,mon\n")
    count_orders(tmp_path)
    cf.record_run("daily_orders")
    assert [risk for risk in recorded_runs.last("risks") if not risk["mitigated"]] == []
    assert [risk for risk in recorded_runs.last("risks") if not risk["owned"]] == []


def test_no_sensitive_column_is_written(tmp_path: Path, recorded_runs: InMemoryWriter) -> None:
    """The report may go to everybody."""
    (tmp_path / "orders.csv").write_text("id,day,email\n1,mon,a@example.org\n")
    count_orders(tmp_path)
    cf.record_run("daily_orders")
    assert [sink["n_sensitive"] for sink in recorded_runs.last("sinks")] == [0]
    assert recorded_runs.last("runs")[0]["sensitive_columns"] == 1
