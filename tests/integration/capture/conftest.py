"""What the integration tests of the capture share: a tracked session, and what it has recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from conformare.capture import restore, store, trackSpark, untracked
from conformare.record import to_run_record


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "sessions(*kinds): the kinds of session to run on, of classic and connect"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once on each kind of session that its marker, or its module's, names."""
    marker = metafunc.definition.get_closest_marker("sessions")
    if marker is not None and "spark" in metafunc.fixturenames:
        metafunc.parametrize("spark", marker.args, indirect=True)


@pytest.fixture
def spark(request: pytest.FixtureRequest) -> SparkSession:
    """The session of the run: the classic one, unless the test is marked with `sessions`."""
    session: SparkSession = request.getfixturevalue(getattr(request, "param", "classic"))
    return session


@pytest.fixture
def tracked(spark: SparkSession) -> Iterator[SparkSession]:
    """The session of the run, tracked for one test."""
    trackSpark()
    yield spark
    restore()


@pytest.fixture
def people(spark: SparkSession) -> DataFrame:
    """Three rows, two of them of one group; nothing of it has been captured."""
    rows = [(1, "a@example.org", "x"), (2, "b@example.org", "x"), (3, None, "y")]
    with untracked():
        return spark.createDataFrame(rows, "id int, email string, g string")


@pytest.fixture
def grain() -> Callable[[str], list[dict[str, Any]]]:
    """The rows of one grain of what has been captured, without the run's key."""

    def rows(name: str) -> list[dict[str, Any]]:
        record = to_run_record(store, "p", run_id="r", ts="2026-01-01")
        return [dict(list(row.items())[3:]) for row in record[name]]

    return rows
