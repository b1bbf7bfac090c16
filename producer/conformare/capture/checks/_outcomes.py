"""What a result of Great Expectations becomes in the record: names, counts and aggregates.

A result may quote the data in any of its parts: in values that failed, in what was observed, in the
text of an exception. So nothing of it is passed on as text except names that a check is made of,
and those only where they look like names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from conformare.capture._lineage import Expectation
from conformare.capture.locations import HIDDEN, shown_name

DEFAULT_SEVERITY = "warning"
UNKNOWN_TYPE = "(unknown)"
MISSING_COLUMN = "a column is missing"

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
_SEVERITIES = ("critical", "warning", "info")
_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SEVERITY = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_CLASS_IN_TRACEBACK = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)(?::|$)", re.MULTILINE)
_NO_SUCH_COLUMN = re.compile(r'The column ".*" in BatchData does not exist')
# It is what Great Expectations wraps around the exception of a metric, and so says nothing.
_WRAPPER = "MetricResolutionError"


def part_of(whole: Any, name: str) -> Any:
    """Return an item of a dict or an attribute of an object, None if there is none.

    Args:
        whole: A result, or a part of one, in either form.
        name: Name of the part.
    """
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)


def shown(name: str) -> str:
    """Return the name of a column or of a data asset, without what may be a secret in it.

    Args:
        name: As the author, or who named the data, has written it.
    """
    return HIDDEN if _EMAIL.search(name) else shown_name(name)


def severity_of(told: Any) -> str | None:
    """Return the severity that Great Expectations tells, None if it is none that it knows.

    Args:
        told: An expectation or its configuration, as an object or a dict.
    """
    told = part_of(told, "severity")
    severity = str(getattr(told, "value", told)).lower()
    return severity if severity in _SEVERITIES else None


def severities(told: str | Iterable[str]) -> frozenset[str]:
    """Return severities that are given as one or as several.

    Args:
        told: One or several, in any case.
    """
    several = (told,) if isinstance(told, str) else told
    return frozenset(str(severity).lower() for severity in several)


@dataclass(frozen=True)
class Subject:
    """A check of a frame, as far as the record may tell of it."""

    node: int
    expectation: str
    column: str | None
    severity: str

    @classmethod
    def named(cls, node: int, expectation: Any, column: Any, severity: Any) -> Subject:
        """Make one of names that are shown only as far as they look like names.

        Args:
            node: Number of the frame's node.
            expectation: Type of the expectation.
            column: Column that it is about, None if it is about several or none.
            severity: Severity of a failure.
        """
        severity = str(severity).lower()
        return cls(
            node,
            expectation if _matches(_TYPE, expectation) else UNKNOWN_TYPE,
            shown(column) if isinstance(column, str) else None,
            severity if _matches(_SEVERITY, severity) else DEFAULT_SEVERITY,
        )

    def unknown(self, cause: str, *, missing_column: bool = False) -> Expectation:
        """Return the row of a check of which nobody knows whether it holds.

        Args:
            cause: Why, in words of our own.
            missing_column: Whether it is for want of a column.
        """
        return Expectation(
            node=self.node,
            expectation=self.expectation,
            column=self.column,
            success=None,
            hard=False,
            severity=self.severity,
            error=cause,
            missing_column=missing_column,
        )

    def reduced(
        self,
        outcome: Any,
        hard_severities: frozenset[str],
        is_wanting: Callable[[], bool] | None = None,
    ) -> Expectation:
        """Return the row of a result of Great Expectations.

        Args:
            outcome: The result, as an object or a dict.
            hard_severities: Severities whose failures fail the run.
            is_wanting: Says of a check that could not be evaluated whether that is for want of a
                column. Where there is nobody to ask, it is as Great Expectations says.
        """
        faults = list(_faults_of(part_of(outcome, "exception_info")))
        if faults and (is_wanting or partial(_says_so, faults))():
            return self.unknown(MISSING_COLUMN, missing_column=True)
        if faults:
            return self.unknown(f"it could not be evaluated ({_class_of(faults[0][0])})")
        success = _plain(part_of(outcome, "success"))
        if not isinstance(success, bool):
            return self.unknown("it has no outcome")
        return Expectation(
            node=self.node,
            expectation=self.expectation,
            column=self.column,
            success=success,
            hard=not success and self.severity in hard_severities,
            severity=self.severity,
            observed=_observed(self.expectation, part_of(outcome, "result")),
        )


def _says_so(faults: Iterable[tuple[str, str]]) -> bool:
    """Whether exceptions of Great Expectations say that there is no such column."""
    return any(_NO_SUCH_COLUMN.search(text) for fault in faults for text in fault)


def _matches(pattern: re.Pattern[str], text: Any) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _plain(value: Any) -> Any:
    """Return the Python value of one of numpy, which results on pandas are made of."""
    return value.item() if getattr(value, "shape", None) == () else value


def _faults_of(information: Any) -> Iterator[tuple[str, str]]:
    """Yield traceback and message of the exceptions behind a result."""
    if not isinstance(information, Mapping):
        return
    # One for the whole check, or one for each metric that it is made of.
    several = [information, *(part for part in information.values() if isinstance(part, Mapping))]
    for part in several:
        if part.get("raised_exception"):
            yield (
                str(part.get("exception_traceback") or ""),
                str(part.get("exception_message") or ""),
            )


def _class_of(traceback: str) -> str:
    """Return the class of the exception at the end of a traceback.

    The lines of its message look the same as the one that names the class, so only names of classes
    that exist are believed.
    """
    named = [name for name in _CLASS_IN_TRACEBACK.findall(traceback) if name != _WRAPPER]
    known = _exceptions() if named else frozenset()
    return next((name for name in reversed(named) if name in known), "Exception")


def _exceptions() -> frozenset[str]:
    """Return the names of all classes of exceptions that the process has loaded."""
    found: set[type[BaseException]] = set()
    left: list[type[BaseException]] = [BaseException]
    while left:
        fresh = set(left.pop().__subclasses__()) - found
        found |= fresh
        left.extend(fresh)
    return frozenset(cls.__name__ for cls in found)


def _observed(type_: str, result: Any) -> str | None:
    """Return what was observed, as far as it is an aggregate."""
    if not isinstance(result, Mapping):
        return None
    value = _plain(result.get("observed_value"))
    if type_ in _AGGREGATES and isinstance(value, (int, float, Decimal)):
        return str(value)
    unexpected, total = (_plain(result.get(f"{name}_count")) for name in ("unexpected", "element"))
    if isinstance(unexpected, int) and isinstance(total, int):
        return f"{unexpected} of {total} unexpected"
    return None
