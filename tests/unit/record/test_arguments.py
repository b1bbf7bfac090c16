"""The arguments that name a run are checked, and have one form in the record."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformare.record import parsed_ts, utc_ts, validated_pipeline, validated_run_id
from conformare_schemas import EARLIEST_TS, LATEST_TS

WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine's own time be hours away from UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n"])
def test_a_pipeline_without_a_name_is_refused(blank: object) -> None:
    with pytest.raises(ValueError, match="pipeline must be a name"):
        validated_pipeline(blank)


@pytest.mark.parametrize(
    ("given_name", "name"), [("p", "p"), (7, "7"), (" p ", " p "), ("p" * 255,) * 2]
)
def test_any_other_pipeline_becomes_text(given_name: object, name: str) -> None:
    assert validated_pipeline(given_name) == name


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        ("a\nb", "control characters"),
        ("\x00", "control characters"),
        ("\x7f", "control characters"),
        ("a\x85", "control characters"),
        ("\x1b[2J", "control characters"),
        ("\ud800", "half of a character"),
        ("x" * 256, "256 characters; 255 is the most"),
        ("\U0001f600" * 256, "256 characters"),
    ],
)
def test_what_a_row_and_a_key_cannot_carry_is_refused(unfit: str, why: str) -> None:
    """The same for a pipeline and for a run: the sink would put their messages into quarantine."""
    with pytest.raises(ValueError, match=f"pipeline .*{why}"):
        validated_pipeline(unfit)
    with pytest.raises(ValueError, match=f"run_id .*{why}"):
        validated_run_id(unfit)


@pytest.mark.parametrize("unfit", [1.5, True, ["r"], b"r"])
def test_a_run_id_of_another_type_is_refused(unfit: object) -> None:
    with pytest.raises(ValueError, match="must be a string or an integer"):
        validated_run_id(unfit)


@pytest.mark.parametrize(("given_id", "run_id"), [("a/b ü", "a/b ü"), (42, "42"), ("r" * 255,) * 2])
def test_any_other_run_id_is_kept(given_id: object, run_id: str) -> None:
    assert validated_run_id(given_id) == run_id


@pytest.mark.parametrize("absent", [None, "", 0])
def test_a_run_id_is_made_when_none_is_given(absent: object) -> None:
    assert validated_run_id(absent) < validated_run_id(absent)


@pytest.mark.parametrize(
    "ts",
    [
        datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001 - a time without an offset is the case
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        datetime(2026, 1, 2, 5, 4, 5, 6, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-02T03:04:05.000006",
        "2026-01-02T03:04:05.000006Z",
        "2026-01-02 03:04:05.000006z",
        "2026-01-01T22:04:05.000006-05:00",
    ],
)
@pytest.mark.usefixtures("far_from_greenwich")
def test_a_time_is_written_in_utc_with_microseconds(ts: datetime | str) -> None:
    assert utc_ts(ts) == "2026-01-02T03:04:05.000006Z"


@pytest.mark.parametrize("ts", [None, ""])
def test_the_time_is_now_when_none_is_given(ts: str | None) -> None:
    before = utc_ts(datetime.now(timezone.utc))
    assert before <= utc_ts(ts) <= utc_ts(datetime.now(timezone.utc))


@pytest.mark.parametrize("ts", ["yesterday", 17, object(), "2026-13-01", " "])
def test_what_is_no_time_is_refused(ts: str) -> None:
    with pytest.raises(ValueError, match="ts must be"):
        utc_ts(ts)


def test_a_time_that_utc_cannot_express_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        utc_ts(datetime.max.replace(tzinfo=timezone(timedelta(hours=-2))))


@pytest.mark.parametrize("ts", [EARLIEST_TS, "1969-12-31T23:59:59.999999Z", LATEST_TS])
def test_a_time_may_be_long_ago(ts: datetime | str) -> None:
    """The sink lands it."""
    assert parsed_ts(utc_ts(ts)) == (parsed_ts(ts) if isinstance(ts, str) else ts)


@pytest.mark.parametrize(
    "ts",
    [
        EARLIEST_TS - timedelta(microseconds=1),
        "1900-01-01T00:00:00+00:01",
        "0001-01-01T00:00:00Z",
        datetime(1582, 10, 4, tzinfo=timezone.utc),
    ],
)
def test_a_time_that_not_all_readers_can_read_is_refused(ts: datetime | str) -> None:
    """It would keep them from the runs beside it as well."""
    with pytest.raises(ValueError, match="ts must be in the years 1900 to 9999 in UTC"):
        utc_ts(ts)


EARLIEST_SOMEWHERE = EARLIEST_TS.replace(tzinfo=None) + timedelta(days=1)


@given(st.datetimes(EARLIEST_SOMEWHERE, timezones=st.timezones()))
def test_the_order_of_times_is_the_order_of_their_texts(moment: datetime) -> None:
    later = (
        moment.astimezone(timezone.utc) + timedelta(microseconds=1) if moment.year < 9999 else None
    )
    text = utc_ts(moment)
    assert WRITTEN.fullmatch(text)
    assert utc_ts(text) == text
    if later is not None:
        assert text < utc_ts(later)
