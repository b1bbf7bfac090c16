"""The guard keeps our faults from the job, and shows each of them once."""

from __future__ import annotations

import logging

import pytest

from conformare._guard import Guard


def test_an_exception_inside_is_swallowed_and_counted() -> None:
    guard = Guard()
    seen: list[Exception] = []
    guard.reporter = seen.append
    fault = ValueError("ours")
    with guard:
        raise fault
    assert (guard.swallowed, seen) == (1, [fault])


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_through(ending: type[BaseException]) -> None:
    with pytest.raises(ending), Guard():
        raise ending


def test_a_guarded_function_returns_its_result_or_none() -> None:
    guard = Guard()
    guard.reporter = lambda _: None

    @guard
    def inverse(number: int) -> float:
        """Return 1/number."""
        return 1 / number

    assert (inverse(2), inverse(0)) == (0.5, None)
    assert inverse.__doc__ == "Return 1/number."


def test_a_fault_is_logged_with_its_traceback_once_per_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard()
    said = "in /secret/place"
    for _ in range(3):
        with guard:
            raise ValueError(said)
    with guard:
        raise ValueError(said)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert {record.name for record in caplog.records} == {"conformare"}
    assert "the job continues, with less recorded" in caplog.text
    shown = [record.getMessage().splitlines() for record in caplog.records]
    assert [lines[-1] for lines in shown] == ["ValueError", "ValueError"]
    # The code is shown, and not what the exception says.
    assert [lines[-2].strip() for lines in shown] == ["raise ValueError(said)"] * 2
    assert "/secret/" not in caplog.text
    assert guard.swallowed == 4


def test_a_fault_of_the_reporter_reaches_nobody() -> None:
    guard = Guard()

    def broken(_: Exception) -> None:
        raise RuntimeError("the reporter itself")

    guard.reporter = broken
    with guard:
        raise ValueError("ours")
    assert guard.swallowed == 1
