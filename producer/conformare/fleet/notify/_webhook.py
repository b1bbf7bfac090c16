"""Reports as JSON, signed, for a program that receives them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from conformare.fleet.notify._changes import Change, by_owners

MOST_CHANGES = 500
"""Of one message; what is more comes in another."""

TIMESTAMP_HEADER = "Conformare-Timestamp"
SIGNATURE_HEADER = "Conformare-Signature"


def webhook_messages(
    told: Sequence[Change], place: str, report: int
) -> Iterator[tuple[list[Change], bytes]]:
    """Yield changes with the body that tells them.

    The same changes after the same report have the same `report_id`: one that comes twice, since
    the answer to the first was lost, can be told by it.

    Args:
        told: All changes.
        place: The store, for a person.
        report: How many messages there were before.
    """
    for number, start in enumerate(range(0, len(told), MOST_CHANGES)):
        part = list(told[start : start + MOST_CHANGES])
        yield part, json.dumps(_body(part, place, report + number)).encode()


def signed(body: bytes, secret: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers by which a receiver knows that a body is ours, and not an old one.

    Args:
        body: The body.
        secret: What sender and receiver alone know.
        timestamp: Seconds since 1970.
    """
    digest = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: f"sha256={digest}"}


def _body(part: Sequence[Change], place: str, report: int) -> dict[str, Any]:
    groups = [
        {
            "owners": list(owners),
            **{
                what: [_told(one) for one in of_owners if one.what == what]
                for what in ("new", "resolved")
            },
        }
        for owners, of_owners in by_owners(part)
    ]
    identity = json.dumps([report, place, groups], sort_keys=True).encode()
    return {
        "report_id": hashlib.sha256(identity).hexdigest()[:32],
        "lake": place,
        "new": sum(one.what == "new" for one in part),
        "resolved": sum(one.what == "resolved" for one in part),
        "by_owners": groups,
    }


def _told(change: Change) -> dict[str, Any]:
    found = asdict(change.finding)
    identity = found.pop("identity")
    return {"id": hashlib.sha256(identity.encode()).hexdigest()[:32], **found}
