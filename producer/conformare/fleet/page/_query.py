"""What a URL asks for: filters, text, status, which part of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from conformare._errors import FleetError
from conformare.fleet._fleet import Filters
from conformare.fleet.page._links import url
from conformare.fleet.questions import PipelineHealth
from conformare.record import parsed_ts

_BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
MOST_DIGITS = 9
MOST_ALSO = 100
"""More than these are shown by nobody: a layout has 300 nodes."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Asked:
    """The query of a URL.

    Attributes:
        values: Name → value, each as it was written; the last one counts.
        tags: Tags that were asked for, `name=value`.
        also: What is shown too, beside what is asked for.
        now: What spans such as `7d` are counted from.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    now: datetime = _BEGINNING

    @classmethod
    def of(cls, query: Iterable[tuple[str, str]], now: datetime) -> Asked:
        """Return what a query asks for; what is empty is not asked.

        Args:
            query: Names and values in order.
            now: What spans are counted from.
        """
        said = [(name, value) for name, value in query if value != ""]
        tags, also = (tuple(v for name, v in said if name == many) for many in ("tag", "also"))
        values = {name: value for name, value in said if name not in ("tag", "also")}
        return cls(values, tags, also[:MOST_ALSO], now)

    def get(self, name: str) -> str | None:
        """Return a value; None where it was not asked."""
        return self.values.get(name)

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.values.get("q", "").strip()

    @property
    def page(self) -> int:
        """Which page of a long table; the first is 1."""
        return self.number("page")

    def number(self, name: str) -> int:
        """Return a value that counts from 1; 1 where it is none."""
        written = self.values.get(name, "")
        is_number = written.isascii() and written.isdigit() and len(written) <= MOST_DIGITS
        return max(1, int(written)) if is_number else 1

    @property
    def is_filtered(self) -> bool:
        """Whether not all pipelines are meant."""
        return bool(self.tags) or any(
            name in self.values for name in ("env", "owner", "since", "status", "q", "pipeline")
        )

    def filters(self) -> Filters:
        """Return which pipelines are meant, as the questions take them.

        Raises:
            FleetError: A time or a tag is written wrongly.
        """
        tags = {}
        for tag in self.tags:
            name, equals, value = tag.partition("=")
            if not equals:
                raise FleetError(f"the tag {tag!r} is not written name=value: correct it")
            tags[name] = value
        since = self.values.get("since")
        return Filters(
            pipeline=self.values.get("pipeline"),
            env=self.values.get("env"),
            owner=self.values.get("owner"),
            tags=tags,
            since=None if since is None else time_of(since, self.now),
        )

    def url(self, path: str, **changed: str | None) -> str:
        """Return the URL of what is asked for with some values changed.

        Args:
            path: Of the page.
            changed: Name → value; None to not ask for it.
        """
        values = {**self.values, **changed}
        tags, also = (("tag", tag) for tag in self.tags), (("also", one) for one in self.also)
        return url(path, [*values.items(), *tags, *also])

    def has_health(self, one: PipelineHealth) -> bool:
        """Whether a pipeline has the health that was asked for; a failed one may be stale too."""
        health = self.values.get("status")
        return health in (None, one.health) or (health == "stale" and one.is_stale)

    def names(self, one: PipelineHealth) -> bool:
        """Whether a pipeline, an owner or a tag of it has the text that was asked for."""
        tags = (f"{name}={value}" for name, value in one.tags.items())
        return self.has_text(one.pipeline, one.env, *one.owners, *tags)

    def has_text(self, *texts: str | None) -> bool:
        """Whether every word that is searched for stands in one of some texts."""
        words = self.text.casefold().split()
        if not words:
            return True
        folded = [text.casefold() for text in texts if text]
        return all(any(word in text for text in folded) for word in words)


def time_of(written: str, now: datetime) -> datetime:
    """Return a time: a span back from now such as `7d`, or a date or time in ISO 8601.

    Args:
        written: By a person.
        now: What a span is counted from.

    Raises:
        FleetError: It is neither.
    """
    number, unit = written[:-1], written[-1:]
    try:
        if number.isascii() and number.isdigit() and unit in _UNITS:
            return now - timedelta(**{_UNITS[unit]: int(number)})
        time = parsed_ts(written)
        return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError) as exc:
        raise FleetError(
            f"{written!r} is not a time: write a date such as 2026-11-29, or a span such as 7d"
        ) from exc
