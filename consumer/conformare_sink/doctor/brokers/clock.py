"""The cluster's clock, which tells when a message came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone

from conformare_schemas.findings import Finding
from conformare_sink.doctor.asked import SinkAsked
from conformare_sink.doctor.brokers.wire import controller_time
from conformare_sink.doctor.skew import judge
from conformare_sink.kafka.listener import addresses

PART = "clock of the broker"


def look(asked: SinkAsked, newest: datetime | None) -> Iterator[Finding]:
    """Compare the clocks: by what the controller says, else by the newest message.

    Args:
        asked: Where the cluster is.
        newest: When a broker took the newest message; None where there is none.
    """
    context = asked.access.files.context() if asked.access.speaks_tls else None
    for address in addresses(asked.bootstrap_servers or ""):
        with suppress(OSError):
            began = datetime.now(timezone.utc)
            theirs = controller_time(address, context)
            if theirs is not None:
                whose = "the clock of the cluster's controller"
                yield from judge(PART, whose, theirs, began, datetime.now(timezone.utc))
                return
            break
    yield from by_newest(newest, datetime.now(timezone.utc))


def by_newest(newest: datetime | None, now: datetime) -> Iterator[Finding]:
    """Yield whether the newest message is from this machine's future.

    That bounds the broker's clock from one side only: one that is behind is not seen.

    Args:
        newest: When the broker took it; None where there is no message.
        now: What this machine's clock shows.
    """
    if newest is None:
        yield Finding.unchecked(
            PART, "the cluster tells its time to nobody but by messages, and there is none yet"
        )
    elif newest > now:
        yield from judge(PART, "the clock of the broker", newest, now, now)
    else:
        yield Finding.good(
            PART,
            f"the newest message came at {newest:%Y-%m-%dT%H:%M:%SZ}, and this machine's clock is not "
            "behind that; whether the broker's is behind, it does not tell",
        )
