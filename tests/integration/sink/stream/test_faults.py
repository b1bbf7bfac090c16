"""The real sink, its Java and its broker killed while runs flow: a small series of tests/faults.

Before, two sinks begin at the same instant, and one is suspended for as long as another may wait.

`make faults` does the same a hundred times.
"""

from __future__ import annotations

import pytest
from faults.killer import Phase
from faults.result import Result
from faults.series import SeriesOptions, run_series

SERIES = SeriesOptions(seed=12, runs=220, kills=5, incidents=2)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What came of the series."""
    return run_series(SERIES, tmp_path_factory.mktemp("faults"), lambda _: None)


def test_nothing_is_lost_duplicated_mixed_or_partially_visible(result: Result) -> None:
    """Nor is a good message in quarantine, or a bad one not there once, or a process left."""
    assert result.complaints() == []


def test_everything_has_happened_that_must_do_no_harm(result: Result) -> None:
    """Otherwise the test before would show nothing."""
    assert result.kills == SERIES.kills
    assert result.phases[Phase.LANDING] >= 1
    assert result.outages >= 1
    assert result.replays >= 1
    assert result.at_once == 1
    assert result.suspended == 1
    assert result.refused == 1
    assert result.runs > SERIES.runs * 0.9
    assert result.emissions > result.runs
    assert result.incomplete > 0
    assert result.unusable > 0
    assert result.seen.changes > SERIES.kills
