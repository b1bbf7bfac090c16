"""Great Expectations checks on the frames of chosen steps, run by Spark over all their rows."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from conformare.capture._lineage import Expectation

DEFAULT_SEVERITY = "warning"
_ASSET = "frame"

# Counts come with it; the values that did not meet the expectation stay where they are.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")
# To be absent is what these ask about: they can be evaluated without the column.
_ABOUT_PRESENCE = ("expect_column_to_exist", "expect_table_columns_to_match")
# The observed number of these is made of many values; that of others (a minimum, a median, the
# most common value) is itself a value of the data.
_AGGREGATES = frozenset(
    {
        "expect_column_kl_divergence_to_be_less_than",
        "expect_column_mean_to_be_between",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
        "expect_table_row_count_to_equal_other_table",
    }
)
_CLASS_IN_TRACEBACK = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::|$)", re.MULTILINE)

# Great Expectations keeps the current project, and Python the warning filters, per process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Check:
    """One expectation in the form that the author gave it in, taken apart."""

    type: str
    arguments: Mapping[str, Any]
    severity: str | None = None
    native: Any = None
    error: str | None = None

    @property
    def column(self) -> str | None:
        """The column that it is about, None if it is about several or none."""
        column = self.arguments.get("column")
        return column if isinstance(column, str) else None

    def missing_columns(self, columns: Iterable[str]) -> bool:
        """Whether it cannot be evaluated for want of a column."""
        if self.type.startswith(_ABOUT_PRESENCE):
            return False
        known = set(columns)
        named = (self.arguments.get(name) for name in _COLUMN_ARGUMENTS)
        return any(column not in known for value in named for column in _column_names(value))


def _column_names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, set)):
        yield from (item for item in value if isinstance(item, str))


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
    """A profiler that holds the frames of steps to expectations of Great Expectations.

    It is attached to steps by `profile` or `set_profiles`. Every row of the frame is checked, by
    Spark; neither the rows nor the values that fail come to the driver.
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
            result_format: As Great Expectations knows it; None asks for counts only.
            default_severity: Severity of a check that could not be built.
            hard_severities: Severities whose failures fail the run.
            when: Called with the frame; the checks are left out if it says no.
            sample: Accepted for compatibility: no sample is ever taken.
        """
        self._checks = tuple(_check(item) for item in expectations)
        self._result_format = _COUNTS_ONLY if result_format is None else result_format
        self._default_severity = str(default_severity).lower()
        hard = (hard_severities,) if isinstance(hard_severities, str) else hard_severities
        self._hard_severities = frozenset(str(severity).lower() for severity in hard)
        self._when = when

    def evaluate(self, frame: Any, node: int) -> list[Expectation]:
        """Check a frame; what cannot be checked is a result too.

        Args:
            frame: Frame to check.
            node: Number of its node.

        Returns:
            One result per expectation, in the order in which they were given; none if `when`
            said no.
        """
        try:
            if self._when is not None and not self._when(frame):
                return []
            columns = list(frame.columns)
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            cause = f"the frame could not be looked at ({type(fault).__name__})"
            return [self._errored(check, node, cause) for check in self._checks]
        results: list[Expectation] = []
        cause = ""
        with _one_at_a_time, _quietly():
            try:
                with _batch_of(frame) as batch:
                    # One by one: those before the one that fails must not be lost with it.
                    results.extend(
                        self._result(check, batch, columns, node) for check in self._checks
                    )
            except ImportError:
                cause = "Great Expectations is not installed"
            except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
                cause = f"the frame could not be handed over ({type(fault).__name__})"
        left = self._checks[len(results) :]
        return results + [self._errored(check, node, cause) for check in left]

    def _result(self, check: _Check, batch: Any, columns: list[str], node: int) -> Expectation:
        if check.error is not None:
            return self._errored(check, node, check.error)
        if check.missing_columns(columns):
            return self._errored(check, node, "a column is missing", missing_column=True)
        try:
            expectation = check.native or _built(check)
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            return self._errored(check, node, f"it could not be built ({type(fault).__name__})")
        severity = _severity_of(expectation)
        try:
            outcome = batch.validate(expectation, result_format=self._result_format)
            failure = _failure_of(outcome)
        except Exception as fault:  # noqa: BLE001 - reported in the record, never silent
            failure = type(fault).__name__
        if failure is not None:
            cause = f"it could not be evaluated ({failure})"
            return self._errored(check, node, cause, severity=severity)
        severity = severity or self._default_severity
        success = bool(outcome.success)
        return Expectation(
            node=node,
            expectation=check.type,
            column=check.column,
            success=success,
            hard=not success and severity in self._hard_severities,
            severity=severity,
            observed=_observed(check.type, outcome.result),
        )

    def _errored(
        self,
        check: _Check,
        node: int,
        cause: str,
        *,
        severity: str | None = None,
        missing_column: bool = False,
    ) -> Expectation:
        """Return the result of a check of which nobody knows whether it holds."""
        said = severity or check.severity or _severity_of(check.native)
        return Expectation(
            node=node,
            expectation=check.type,
            column=check.column,
            success=None,
            hard=False,
            severity=str(said or self._default_severity).lower(),
            error=cause,
            missing_column=missing_column,
        )


def _built(check: _Check) -> Any:
    """Make the object that a type and its arguments stand for."""
    from great_expectations.expectations.registry import get_expectation_impl

    make: Any = get_expectation_impl(check.type)
    severity = {} if check.severity is None else {"severity": check.severity}
    return make(**check.arguments, **severity)


def _severity_of(expectation: Any) -> str | None:
    severity = getattr(expectation, "severity", None)
    return None if severity is None else str(getattr(severity, "value", severity)).lower()


def _failure_of(outcome: Any) -> str | None:
    """Return the class of the exception behind a result, None if there was none."""
    information = outcome.exception_info or {}
    # One for the whole check, or one for each metric that it is made of.
    several = [information, *(part for part in information.values() if isinstance(part, Mapping))]
    for part in several:
        if part.get("raised_exception"):
            classes = _CLASS_IN_TRACEBACK.findall(str(part.get("exception_traceback") or ""))
            return next((name for name in reversed(classes) if name != "Traceback"), "Exception")
    return None


def _observed(type_: str, result: Mapping[str, Any]) -> str | None:
    """Return what was observed, as far as it is an aggregate."""
    value = result.get("observed_value")
    if type_ in _AGGREGATES and isinstance(value, (bool, int, float)):
        return str(value)
    unexpected, total = result.get("unexpected_count"), result.get("element_count")
    if isinstance(unexpected, int) and isinstance(total, int):
        return f"{unexpected} of {total} unexpected"
    return None


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the process's handling of warnings as it is, whatever Great Expectations does to it."""
    captured = getattr(logging, "_warnings_showwarning", None) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            if not captured:
                logging.captureWarnings(capture=False)


@contextmanager
def _batch_of(frame: Any) -> Iterator[Any]:
    """Hand a frame to Great Expectations, in a project of our own for as long as it takes."""
    from great_expectations.data_context.data_context.context_factory import project_manager

    # It has no public way to ask whether there is a current project.
    users_project = getattr(project_manager, "_ProjectManager__project", None)
    try:
        source = _data_source()
        project_manager.set_project(source.data_context)
        asset = source.add_dataframe_asset(name=_ASSET)
        try:
            yield asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        finally:
            source.delete_asset(_ASSET)
    finally:
        project_manager.set_project(users_project)


@cache
def _data_source() -> Any:
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    settings: dict[str, Any] = {
        "store_backend_defaults": InMemoryStoreBackendDefaults(),
        "analytics_enabled": False,
        "progress_bars": {"globally": False, "metric_calculations": False},
    }
    context: Any = great_expectations.get_context(
        mode="ephemeral", project_config=DataContextConfig(**settings)
    )
    # Left on, it would persist the user's frame and so change the plans made from it.
    return context.data_sources.add_spark("conformare", persist=False)
