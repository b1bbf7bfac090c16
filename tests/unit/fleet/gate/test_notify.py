"""Reports of what has changed: once each, to a real server, signed."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.fleet.small import put_run
from support.jobs.spool_command import Answer, Run
from support.servers.receiver import Receiver, answer_with

from conformare.fleet.notify import _post as post
from conformare.fleet.notify import _webhook as webhook

from .conftest import SECRET, repair


def kinds(told: Any, what: str) -> list[tuple[list[str], list[str]]]:
    """Return who is told of which kinds of finding."""
    return [
        (group["owners"], [one["kind"] for one in group[what]])
        for group in told["by_owners"]
        if group[what]
    ]


def test_what_is_there_is_told_first_and_then_only_what_changes(
    report: Run, receiver: Receiver, lake: Path
) -> None:
    """A finding once when it comes, and once when it is resolved; by owner."""
    assert report() == Answer(0, "reported: 3 new, 0 resolved\n", "")
    assert report() == Answer(0, "nothing has changed since the last report\n", "")
    first = receiver.posts[0].json
    assert (first["new"], first["resolved"]) == (3, 0)
    assert kinds(first, "new") == [
        (["amy", "bob"], ["failed", "drift"]),
        ([], ["unowned-critical"]),
    ]
    assert first["by_owners"][0]["new"][1] == {
        "id": first["by_owners"][0]["new"][1]["id"],
        "kind": "drift",
        "pipeline": "orders",
        "env": "prod",
        "run_id": "o-2",
        "subject": "clean",
        "text": "the code of clean changed, its risks did not: review them, or acknowledge it",
        "owners": ["amy", "bob"],
        "since": "2026-11-28T06:00:00.000000Z",
    }
    repair(lake)
    put_run(lake, "bills", "b-2", "2026-11-28T09:00:00.000000Z", run={"status": "degraded"})
    assert report() == Answer(0, "reported: 1 new, 3 resolved\n", "")
    second = receiver.posts[1].json
    assert kinds(second, "new") == [([], ["degraded"])]
    assert kinds(second, "resolved") == [
        (["amy", "bob"], ["failed", "drift"]),
        ([], ["unowned-critical"]),
    ]
    assert len(receiver.posts) == 2
    assert first["report_id"] != second["report_id"]


def test_the_same_finding_of_a_later_run_is_not_told_again(
    report: Run, receiver: Receiver, lake: Path
) -> None:
    """It failed before, and fails still."""
    report()
    put_run(
        lake,
        "bills",
        "b-2",
        "2026-11-28T08:00:00.000000Z",
        run={"env": "prod", "status": "failed"},
    )
    assert report().out == "reported: 1 new, 0 resolved\n"
    put_run(
        lake,
        "bills",
        "b-3",
        "2026-11-28T09:00:00.000000Z",
        run={"env": "prod", "status": "failed"},
    )
    assert report().out == "nothing has changed since the last report\n"
    assert len(receiver.posts) == 2


def test_a_receiver_can_verify_a_report_as_documented(report: Run, receiver: Receiver) -> None:
    """By the headers, over the timestamp, a full stop and the body."""
    report()
    (posted,) = receiver.posts
    timestamp = posted.headers["Conformare-Timestamp"]
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + posted.body, hashlib.sha256)
    assert posted.headers["Conformare-Signature"] == f"sha256={expected.hexdigest()}"
    assert abs(time.time() - int(timestamp)) < 60
    assert posted.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 429, 500, 503])
def test_a_report_that_is_not_accepted_is_told_by_the_next(
    report: Run, receiver: Receiver, state: Path, code: int
) -> None:
    """One line, exit code 1, and no redirect is followed: it would carry what is signed elsewhere."""
    receiver.answers.append(answer_with(code, Location=f"{receiver.url}/elsewhere"))
    assert report() == Answer(
        1, "", f"error: the webhook answered {code}: the next report tells the same again\n"
    )
    assert not state.exists()
    assert len(receiver.posts) == 1
    assert report().out == "reported: 3 new, 0 resolved\n"
    assert receiver.posts[0].body == receiver.posts[1].body


def test_a_report_whose_answer_is_lost_can_be_told_by_its_id(
    report: Run, receiver: Receiver, state: Path
) -> None:
    """It comes again, with the same id."""
    receiver.answers.append(lambda handler, _posted: handler.connection.close())
    answer = report()
    assert (answer.code, answer.out) == (1, "")
    assert "the webhook could not be reached" in answer.err
    assert not state.exists()
    report()
    first, second = receiver.posts
    assert first.json["report_id"] == second.json["report_id"]


def test_a_receiver_that_is_silent_or_slow_is_not_waited_for(
    report: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for a first byte nor for a last one."""
    is_told = Event()
    monkeypatch.setattr(post, "TIMEOUT_SECONDS", 0.2)

    def silent(_handler: Any, _posted: Any) -> None:
        is_told.wait()

    receiver.answers.append(silent)
    assert "did not answer within" in report().err
    is_told.set()
    monkeypatch.setattr(post, "TIMEOUT_SECONDS", 10)
    monkeypatch.setattr(post, "WHOLE_SECONDS", 0.3)
    is_slow_told = Event()

    def drip(handler: Any, _posted: Any) -> None:
        for byte in b"HTTP/1.1 2":
            handler.wfile.write(bytes([byte]))
            is_slow_told.wait(0.1)

    receiver.answers.append(drip)
    answer = report()
    is_slow_told.set()
    assert (answer.code, answer.out) == (1, "")
    assert "did not answer within 0.3 s" in answer.err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1/T0KEN", "refuses the connection"),
        ("http://conformare-nowhere.invalid/T0KEN", "has a host name that is not known here"),
    ],
)
def test_nobody_there_is_one_line(
    report: Run, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    """Without the address, which is a secret."""
    monkeypatch.setenv("CONFORMARE_WEBHOOK", url)
    assert report() == Answer(
        1, "", f"error: the webhook {told}: the next report tells the same again\n"
    )


def test_a_server_without_tls_is_one_line(
    report: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was to have some."""
    monkeypatch.setenv("CONFORMARE_WEBHOOK", receiver.url.replace("http:", "https:"))
    assert "the webhook speaks no TLS that is understood here" in report().err


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/T0KEN",
        "file:///T0KEN",
        "T0KEN",
        "http://",
        "http://user:T0KEN@host/",
        "http://host:T0KEN/",
        "http://host:0/T0KEN",
        "http://host/T0KEN here",
        "http://host/T0KEN\r\nX-Header: 1",
        "http://hóst/T0KEN",
        "http://[T0KEN",
    ],
)
@pytest.mark.parametrize("option", ["--webhook", "--slack"])
def test_what_is_no_url_is_refused_and_not_shown(
    run: Run, lake: Path, monkeypatch: pytest.MonkeyPatch, option: str, url: str
) -> None:
    """It may be one with a slip."""
    assert lake.exists()
    monkeypatch.setenv("CONFORMARE_WEBHOOK_SECRET", SECRET)
    answer = run("notify", option, url)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert f"{option} is no URL to post to" in answer.err
    assert "T0KEN" not in answer.err


def test_address_and_secret_may_be_in_files(
    run: Run, receiver: Receiver, state: Path, lake: Path, tmp_path: Path
) -> None:
    """As orchestrators mount them; neither is ever printed."""
    assert lake.exists()
    (tmp_path / "url").write_text(f"{receiver.url}\n")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    options = ["--webhook", f"@{tmp_path / 'url'}", "--state", state]
    assert run("notify", *options, "--secret-file", tmp_path / "secret").code == 0
    (posted,) = receiver.posts
    timestamp = int(posted.headers["Conformare-Timestamp"])
    assert (
        webhook.signed(posted.body, SECRET.encode(), timestamp)["Conformare-Signature"]
        == (posted.headers["Conformare-Signature"])
    )
    assert "T0KEN" not in state.read_text()
    missing = run("notify", "--webhook", f"@{tmp_path / 'none'}", "--state", state)
    assert (missing.code, missing.out) == (2, "")
    assert "none cannot be read" in missing.err


def test_who_is_told_is_said_once(
    run: Run, lake: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command line says goes before the environment; a webhook needs a secret."""
    assert lake.exists()
    assert "say whom to tell" in run("notify").err
    assert "say whom to tell" in run("notify", "--webhook", "http://a", "--slack", "http://b").err
    answer = run("notify", "--webhook", receiver.url)
    assert (answer.code, answer.out) == (2, "")
    assert "CONFORMARE_WEBHOOK_SECRET" in answer.err
    monkeypatch.setenv("CONFORMARE_WEBHOOK", "http://127.0.0.1:1/")
    assert run("notify", "--slack", receiver.url).code == 0
    monkeypatch.setenv("CONFORMARE_SLACK", receiver.url)
    assert "say whom to tell" in run("notify").err


def test_many_changes_come_in_several_messages_each_told_once(
    report: Run, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted before a refusal is not told again."""
    monkeypatch.setattr(webhook, "MOST_CHANGES", 1)
    receiver.answers += [answer_with(200), answer_with(500)]
    assert report().code == 1
    assert report().out == "reported: 2 new, 0 resolved\n"
    told = [post.json["by_owners"][0]["new"][0]["kind"] for post in receiver.posts]
    assert told == ["failed", "drift", "drift", "unowned-critical"]
    ids = [post.json["report_id"] for post in receiver.posts]
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3
