"""Great Expectations checks on the frames of chosen steps, over all their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from conformare.capture._lineage import Expectation
from conformare.capture.checks._batches import batch_of
from conformare.capture.checks._columns import is_wanting
from conformare.capture.checks._outcomes import (
    DEFAULT_SEVERITY,
    Subject,
    severities,
    severity_of,
)
from conformare.capture.source._normalise import digest
from conformare.capture.source._values import text_of

SKIPPED = "skipped: `when` said no"

# Counts come with it; the values that did not meet the expectation stay where they are.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_BOOLEAN_ONLY = "BOOLEAN_ONLY"


@dataclass(frozen=True)
class _Check:
    """One expectation in the form that the author gave it in, taken apart."""

    type: str
    arguments: Mapping[str, Any]
    severity: str | None = None
    native: Any = None
    error: str | None = None

    def is_wanting(self, frame: Any) -> bool:
        """Whether it cannot be evaluated for want of a column of the frame."""
        return is_wanting(frame, self.type, self.arguments)

    def built(self) -> Any:
        """Return the object that a type and its arguments stand for."""
        if self.native is not None:
            return self.native
        from great_expectations.expectations.registry import get_expectation_impl

        make: Any = get_expectation_impl(self.type)
        severity = {} if self.severity is None else {"severity": self.severity}
        return make(**self.arguments, **severity)


def _check(item: Any) -> _Check:
    """Take an expectation apart; what is none becomes a check that can only report so."""
    if isinstance(item, str):
        return _Check(item, {})
    if isinstance(item, Mapping):
        type_ = item.get("expectation_type") or item.get("type")
        arguments = item.get("kwargs") or {}
        if isinstance(type_, str) and isinstance(arguments, Mapping):
            return _Check(type_, dict(arguments), item.get("severity"))
    elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):  # noqa: PLR2004 - (type, kwargs)
        if isinstance(item[1], Mapping):
            return _Check(item[0], dict(item[1]))
    elif hasattr(item, "configuration"):
        configuration = item.configuration
        return _Check(configuration.type, dict(configuration.kwargs), native=item)
    return _Check(type(item).__name__, {}, error="not an expectation")


class greatExpectations:  # noqa: N801 - the name is fixed by the contract
    """A profiler that checks the frames of steps with Great Expectations.

    Attach it to steps with `profile` or `set_profiles`. Spark checks every row of the frame;
    neither rows nor failing values come to the driver.
    """

    def __init__(
        self,
        *expectations: Any,
        result_format: str | Mapping[str, Any] | None = None,
        default_severity: str = DEFAULT_SEVERITY,
        hard_severities: str | Iterable[str] = (),
        when: Callable[[Any], bool] | None = None,
        sample: Any = "default",  # noqa: ARG002 - all rows are checked, whatever is asked for
    ) -> None:
        """Prepare the checks; Great Expectations is imported when the first of them runs.

        Args:
            expectations: Objects of Great Expectations, dicts (`type`, `kwargs`, `severity`),
                pairs of a type and its arguments, or types that need none.
            result_format: `"BOOLEAN_ONLY"` leaves out the counts. All else that Great
                Expectations knows means counts, since nothing but them would be recorded.
            default_severity: Severity of a check that could not be built.
            hard_severities: Severities whose failures fail the run.
            when: Called with the frame; where it says no, the checks are recorded as skipped.
            sample: Accepted for compatibility: no sample is ever taken.
        """
        self._checks = tuple(_check(item) for item in expectations)
        if isinstance(result_format, Mapping):
            result_format = result_format.get("result_format")
        boolean_only = str(getattr(result_format, "value", result_format)) == _BOOLEAN_ONLY
        self._result_format = _BOOLEAN_ONLY if boolean_only else _COUNTS_ONLY
        self._default_severity = default_severity
        self._hard_severities = severities(hard_severities)
        self._when = when
        # The same checks, made anew in a loop, are the same ones.
        self.identity = digest(text_of([(c.type, c.arguments, c.severity) for c in self._checks]))

    def evaluate(self, frame: Any, node: int) -> list[Expectation]:
        """Check a frame; what cannot be checked is a result too.

        Args:
            frame: Frame to check.
            node: Number of its node.

        Returns:
            One result per expectation, in the order in which they were given.
        """
        results: list[Expectation] = []
        cause = ""
        try:
            if self._when is not None and not self._when(frame):
                cause = SKIPPED
            if not cause:
                list(frame.columns)
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            cause = f"the frame could not be looked at ({type(fault).__name__})"
        if not cause:
            try:
                with batch_of(frame) as batch:
                    # One by one: those before the one that fails must not be lost with it.
                    results.extend(
                        self._result(check, batch, frame, node) for check in self._checks
                    )
            except ImportError:
                cause = "Great Expectations is not installed"
            except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
                cause = f"the frame could not be handed over ({type(fault).__name__})"
        left = self._checks[len(results) :]
        return results + [self._subject(check, node).unknown(cause) for check in left]

    def _subject(self, check: _Check, node: int, severity: str | None = None) -> Subject:
        severity = severity or check.severity or severity_of(check.native)
        column = check.arguments.get("column")
        return Subject.named(node, check.type, column, severity or self._default_severity)

    def _result(self, check: _Check, batch: Any, frame: Any, node: int) -> Expectation:
        subject = self._subject(check, node)
        if check.error is not None:
            return subject.unknown(check.error)
        try:
            expectation = check.built()
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            return subject.unknown(f"it could not be built ({type(fault).__name__})")
        subject = self._subject(check, node, severity_of(expectation))
        try:
            outcome = batch.validate(expectation, result_format=self._result_format)
            return subject.reduced(outcome, self._hard_severities, partial(check.is_wanting, frame))
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            return subject.unknown(f"it could not be evaluated ({type(fault).__name__})")
