"""How far two clocks are apart, and when that is too far."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from conformare_schemas.findings import Finding

MOST_SKEW = timedelta(seconds=5)
"""More, and how late runs arrive is told wrongly; a network's time service keeps milliseconds."""


def judge(
    part: str, whose: str, theirs: datetime, began: datetime, ended: datetime
) -> Iterator[Finding]:
    """Yield whether another clock agrees with this machine's.

    Args:
        part: What was looked at.
        whose: Whose clock it is, for a person.
        theirs: What it showed at some moment between the other two.
        began: What this machine's clock showed before.
        ended: What this machine's clock showed after.
    """
    apart = max(theirs - ended, began - theirs, timedelta())
    told = f"{whose} and this machine's"
    if apart <= MOST_SKEW:
        yield Finding.good(part, f"{told} are at most {_seconds(apart + (ended - began))} apart")
        return
    ahead = "ahead of" if theirs > ended else "behind"
    yield Finding.mend(
        part,
        f"{whose} is {_seconds(apart)} {ahead} this machine's, which says {ended:%Y-%m-%dT%H:%M:%SZ}: "
        "synchronise both with a time service (NTP)",
    )


def _seconds(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.1f} s" if seconds < 100 else f"{timedelta(seconds=round(seconds))}"  # noqa: PLR2004 - in seconds as far as people count them
