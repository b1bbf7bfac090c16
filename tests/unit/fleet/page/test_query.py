"""What a URL asks for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare._errors import FleetError
from conformare.fleet import Filters
from conformare.fleet.page._query import Asked, time_of

NOW = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_filters_are_what_the_questions_take() -> None:
    """What is empty is not asked."""
    query = [("env", "prod"), ("owner", ""), ("tag", "team=a=b"), ("tag", "x="), ("since", "7d")]
    assert Asked.of(query, NOW).filters() == Filters(
        env="prod", tags={"team": "a=b", "x": ""}, since=NOW - timedelta(days=7)
    )


@given(st.dictionaries(st.sampled_from(["env", "owner", "q"]), TEXT), st.lists(TEXT))
def test_a_url_asks_for_what_it_was_made_of(values: dict[str, str], tags: list[str]) -> None:
    """Every view is a URL, whatever text was typed."""
    asked = Asked(values, tags=tuple(tags), now=NOW)
    query = parse_qsl(urlsplit(asked.url("/", page=None)).query, keep_blank_values=True)
    assert Asked.of(query, NOW) == asked


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("26h", NOW - timedelta(hours=26)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=timezone.utc)),
        ("2026-11-01T06:00Z", datetime(2026, 11, 1, 6, tzinfo=timezone.utc)),
    ],
)
def test_a_time_is_a_span_or_in_iso_8601(written: str, time: datetime) -> None:
    """A span goes back from now."""
    assert time_of(written, NOW) == time


@pytest.mark.parametrize("written", ["yesterday", "7", "d", "99999999999d", "٣d", "-1d"])
def test_what_is_no_time_is_told_in_one_line(written: str) -> None:
    """And how to write it."""
    with pytest.raises(FleetError, match="is not a time: write a date such as"):
        time_of(written, NOW)


@pytest.mark.parametrize(
    ("written", "page"),
    [("3", 3), ("0", 1), ("-1", 1), ("x", 1), ("²", 1), ("", 1), ("9" * 5000, 1)],
)
def test_a_page_that_is_no_number_is_the_first(written: str, page: int) -> None:
    """A URL that somebody typed is answered."""
    assert Asked.of([("page", written)], NOW).page == page


def test_a_tag_without_a_value_is_told() -> None:
    """In one line."""
    with pytest.raises(FleetError, match="is not written name=value"):
        Asked.of([("tag", "team")], NOW).filters()
