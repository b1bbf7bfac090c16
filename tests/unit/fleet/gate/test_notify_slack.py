"""Reports to Slack: by owner, and no name in them does anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.fleet.small import context, owner, put_run
from support.jobs.spool_command import Run
from support.servers.receiver import Receiver

from conformare.fleet.notify import _slack as slack

from .conftest import repair


def sections(told: Any) -> list[str]:
    """Return the texts of a message's sections."""
    return [block["text"]["text"] for block in told["blocks"] if block["type"] == "section"]


def test_slack_gets_blocks_by_owner(run: Run, receiver: Receiver, state: Path, lake: Path) -> None:
    """The text for notifications has no name in it."""
    assert run("notify", "--slack", receiver.url, "--state", state).code == 0
    told = receiver.posts[0].json
    assert told["text"] == "Fleet: 3 new, 0 resolved"
    assert told["blocks"][0]["text"]["text"] == "Fleet: 3 new, 0 resolved"
    assert sections(told)[0].splitlines() == [
        "*amy, bob*",
        (
            ":red_circle: new, failed: orders (prod): its newest run failed: not_null(id) does not hold; "
            "privacy.pii_exposure is not mitigated"
        ),
        (
            ":red_circle: new, drift: orders (prod): the code of clean changed, its risks did not: review "
            "them, or acknowledge it"
        ),
        "*nobody*",
        (
            ":red_circle: new, unowned-critical: orders (prod): nobody owns the critical risk "
            "privacy.pii_exposure"
        ),
    ]
    assert str(lake.name) in sections(told)[1]
    repair(lake)
    run("notify", "--slack", receiver.url, "--state", state)
    assert (
        ":white_check_mark: resolved, failed: orders (prod)" in sections(receiver.posts[1].json)[0]
    )


def test_names_mention_nobody_and_link_nowhere_in_slack(
    run: Run, receiver: Receiver, state: Path, lake: Path
) -> None:
    """Nor are they formats; and what is long is cut, for Slack refuses a block that is too long."""
    name = "<!channel> <@U1> <http://x|y> & *b* `c` _d_ a_b \x1b\u202e\n"
    for day, code in ((27, "a"), (28, "b")):
        put_run(
            lake,
            name,
            f"h-{day}",
            f"2026-11-{day}T00:00:00.000000Z",
            run={"env": name, "status": "failed"},
            contexts=[context(f"{name}{number}" * 50, code) for number in range(150)],
            owners=[owner(name * 9, name)],
        )
    assert run("notify", "--slack", receiver.url, "--state", state).code == 0
    told = receiver.posts[0].json
    texts = sections(told)
    assert not any("<" in text or ">" in text for text in texts)
    assert not any(
        "&" in text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "") for text in texts
    )
    assert all(len(text) <= 3000 for text in texts)
    assert len(told["blocks"]) <= 50
    assert all(
        sign.isprintable() or sign in "\n\N{ZERO WIDTH SPACE}" for text in texts for sign in text
    )
    assert any("&lt;!channel&gt; &lt;@U1&gt;" in text and " a_b " in text for text in texts)
    assert not any("*b*" in text or "`c`" in text or "_d_" in text for text in texts)
    assert all(block["text"].get("verbatim") for block in told["blocks"][1:])


def test_slack_gets_what_is_too_much_for_one_message_in_several(
    run: Run, receiver: Receiver, state: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them whole."""
    assert lake.exists()
    monkeypatch.setattr(slack, "MOST_CHANGES", 2)
    monkeypatch.setattr(slack, "MOST_CHARACTERS", 100)
    assert run("notify", "--slack", receiver.url, "--state", state).code == 0
    assert [posted.json["text"] for posted in receiver.posts] == [
        "Fleet: 2 new, 0 resolved",
        "Fleet: 1 new, 0 resolved",
    ]
