"""The testing kit, as a user's tests would use it."""

from __future__ import annotations

import pytest

import conformare as cf
from conformare.testing import InMemoryWriter

pytest_plugins = ["pytester"]

USERS_TESTS = '''
import conformare as cf

def pipeline():
    with cf.describe("clean", risks=cf.risk("quality.duplicates", owner="team")):
        pass
    cf.record_run("orders", run_id="r1", env="test")

def test_first(recorded_runs):
    pipeline()
    assert recorded_runs.last("runs")[0]["env"] == "test"
    assert [row["context_label"] for row in recorded_runs.rows("contexts")] == ["clean"]

def test_second(recorded_runs):
    """What the first has captured and recorded is gone."""
    assert recorded_runs.records == []
    pipeline()
    assert recorded_runs.last("runs")[0]["n_contexts"] == 1
'''


def test_a_fixture_shows_what_was_recorded(pytester: pytest.Pytester) -> None:
    """In a process of its own, as its user runs it."""
    pytester.makeconftest('pytest_plugins = ["conformare.testing.plugin"]')
    pytester.makepyfile(USERS_TESTS)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_the_configured_store_is_back_after_the_test(pytester: pytest.Pytester) -> None:
    """The next test that has no such fixture records where it did before."""
    pytester.makeconftest('pytest_plugins = ["conformare.testing.plugin"]')
    pytester.makepyfile(
        """
        import conformare as cf
        kept = []

        def test_first(request):
            cf.configure_store(writer=kept.append)
            recorded = request.getfixturevalue("recorded_runs")
            cf.record_run("p")
            assert (len(kept), len(recorded.records)) == (0, 1)

        def test_second():
            cf.record_run("p")
            assert len(kept) == 1
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_first_record_of_a_run_stays() -> None:
    """As in every store."""
    writer = InMemoryWriter()
    for title in ("first", "second"):
        cf.record_run("p", run_id="r", title=title, dest=writer)
    cf.record_run("q", run_id="r", dest=writer)
    assert [run["title"] for run in writer.rows("runs")] == ["first", "conformare run"]
    assert writer.last("runs")[0]["pipeline"] == "q"


def test_without_a_run_the_assertion_says_so() -> None:
    """Not an IndexError."""
    with pytest.raises(AssertionError, match="no run was recorded"):
        InMemoryWriter().last("runs")
