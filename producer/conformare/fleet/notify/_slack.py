"""Reports as messages of Slack: sections by owner, a line for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from conformare.fleet.notify._changes import Change, by_owners

MOST_CHANGES = 200
"""Of one message: they fit the 50 blocks that Slack allows."""
MOST_CHARACTERS = 2_900
"""Slack allows a section 3,000."""
LONGEST = {"owners": 100, "pipeline": 80, "text": 160}

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SIGNS = {"new": ":red_circle:", "resolved": ":white_check_mark:"}


def slack_messages(told: Sequence[Change], place: str) -> Iterator[tuple[list[Change], bytes]]:
    """Yield changes with the message that tells them.

    Args:
        told: All changes.
        place: The store, for a person.
    """
    for start in range(0, len(told), MOST_CHANGES):
        part = list(told[start : start + MOST_CHANGES])
        new = sum(one.what == "new" for one in part)
        title = f"Fleet: {new} new, {len(part) - new} resolved"
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
            *map(_section, _packed(_lines(part))),
            _section(f"_{escaped(place, LONGEST['text'])}_"),
        ]
        # What stands in notifications has no name in it: there, Slack parses mentions.
        yield part, json.dumps({"text": title, "blocks": blocks}).encode()


def escaped(text: str, most: int) -> str:
    """Return a text that is shown as it is: no mention, no link, no format, one line.

    Args:
        text: The text.
        most: Not more characters than so many, once escaped; what is longer is cut.
    """
    shown = ""
    for before, sign, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        more = _ESCAPES.get(sign, sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}")
        is_within_word = before.isalnum() and after.isalnum()
        if sign in "*~`" or (sign == "_" and not is_within_word):
            more = f"\N{ZERO WIDTH SPACE}{sign}\N{ZERO WIDTH SPACE}"
        if len(shown) + len(more) > most:
            return f"{shown}\N{HORIZONTAL ELLIPSIS}"
        shown += more
    return shown


def _lines(part: Sequence[Change]) -> Iterator[str]:
    for owners, of_owners in by_owners(part):
        yield f"*{escaped(', '.join(owners) or 'nobody', LONGEST['owners'])}*"
        for change in of_owners:
            finding = change.finding
            name = (
                finding.pipeline if finding.env is None else f"{finding.pipeline} ({finding.env})"
            )
            yield (
                f"{_SIGNS[change.what]} {change.what}, {escaped(finding.kind, 40)}: "
                f"{escaped(name, LONGEST['pipeline'])}: {escaped(finding.text, LONGEST['text'])}"
            )


def _packed(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines together, as many as a section takes."""
    section = ""
    for line in lines:
        if section and len(section) + 1 + len(line) > MOST_CHARACTERS:
            yield section
            section = ""
        section = f"{section}\n{line}" if section else line
    if section:
        yield section


def _section(text: str) -> dict[str, Any]:
    # Verbatim: Slack makes no links, mentions or channels of what only looks like them.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
