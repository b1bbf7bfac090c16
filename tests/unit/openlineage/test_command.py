"""`conformare export openlineage`: each run once, whatever comes in between."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.fleet.small import put_run
from support.jobs.spool_command import Answer, Run
from support.servers.receiver import Posted, Receiver, answer_document, answer_with

from conformare.openlineage import openlineage_run_id

AGAIN = "the next export sends the same again"
HTTP = "conformare.openlineage.targets._http"


def told(posts: list[Posted]) -> list[tuple[str, str, str]]:
    """Which events were posted: job, event, and the run's own id where it stands in it."""
    found = []
    for posted in posts:
        event = posted.json
        facets = event["run"]["facets"]
        run_id = facets["conformare_record"]["runId"] if "conformare_record" in facets else ""
        found.append((event["job"]["name"], event["eventType"], run_id))
    return found


ALL = [
    ("orders", "START", ""),
    ("orders", "COMPLETE", "1"),
    ("bills", "START", ""),
    ("bills", "COMPLETE", "1"),
    ("orders", "START", ""),
    ("orders", "FAIL", "2"),
    ("orders", "START", ""),
    ("orders", "COMPLETE", "3"),
]


def test_each_run_is_sent_once_the_oldest_first(run: Run, lake: Path, server: Receiver) -> None:
    """And a run that comes late is sent, too, whatever its time."""
    asked = ("--lake", lake, "--url", server.url)
    assert run(*asked) == Answer(0, "sent: 4 runs\n", "")
    assert told(server.posts) == ALL
    assert server.posts[0].path == "/hook/T0KEN/api/v1/lineage"
    assert run(*asked) == Answer(0, "sent: 0 runs\n", "")
    put_run(lake, "bills", "0", "2020-01-01T00:00:00Z")
    assert run(*asked) == Answer(0, "sent: 1 run\n", "")
    assert told(server.posts[8:]) == [("bills", "START", ""), ("bills", "COMPLETE", "0")]


def test_runs_since_a_time_are_sent(run: Run, lake: Path, server: Receiver) -> None:
    """The others are still there for another export."""
    asked = ("--lake", lake, "--url", server.url)
    assert run(*asked, "--since", "2026-11-27").out == "sent: 2 runs\n"
    assert run(*asked).out == "sent: 2 runs\n"
    assert sorted(told(server.posts)) == sorted(ALL)


def test_what_it_is_called_can_be_said(run: Run, lake: Path, server: Receiver) -> None:
    """The namespace of jobs and of tables, and where events are taken."""
    sources = [
        {"node": "a", "location": "sales.orders", "format": "delta", "reader": "spark.table"}
    ]
    put_run(lake, "reads", "1", "2026-11-29T00:00:00Z", sources=sources)
    names = ("--namespace", "shop", "--tables", "hive://host:9083", "--endpoint", "/lineage")
    assert run("--lake", lake, "--url", f"{server.url}/", *names, "--since", "2026-11-29").code == 0
    event = server.posts[-1].json
    assert event["job"]["namespace"] == "shop"
    assert event["inputs"][0]["namespace"] == "hive://host:9083"
    assert server.posts[-1].path == "/hook/T0KEN/lineage"


def test_the_key_is_sent_as_a_bearer_token(
    run: Run, lake: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the environment; so may be the server."""
    monkeypatch.setenv("CONFORMARE_OPENLINEAGE_API_KEY", "K3Y\n")
    monkeypatch.setenv("CONFORMARE_OPENLINEAGE_URL", server.url)
    assert run("--lake", lake).code == 0
    assert {posted.headers["Authorization"] for posted in server.posts} == {"Bearer K3Y"}


@pytest.mark.parametrize("key", ["K3Y\nX: y", "K3Y\N{RIGHTWARDS ARROW}"])
def test_a_key_that_no_header_can_have_is_told(
    run: Run, lake: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Without the key."""
    monkeypatch.setenv("CONFORMARE_OPENLINEAGE_API_KEY", key)
    answer = run("--lake", lake, "--url", server.url)
    assert answer.err.endswith("openlineage_api_key must be printable ASCII\n")
    assert (answer.code, server.posts) == (2, [])
    assert "K3Y" not in answer.err


@pytest.mark.parametrize("code", [401, 403, 404, 429, 301, 302, 307])
def test_a_server_that_takes_nothing_ends_the_export(
    run: Run, lake: Path, server: Receiver, code: int
) -> None:
    """What it has taken before is not sent again; nothing of its address is shown."""
    place = {"Location": server.url} if 300 <= code < 400 else {}
    server.answers = [*[answer_with(201)] * 3, answer_with(code, **place)]
    asked = ("--lake", lake, "--url", server.url)
    answer = run(*asked)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: the server ")
    assert "T0KEN" not in answer.err
    assert len(server.posts) == 4
    assert run(*asked).out == "sent: 3 runs\n"
    assert told(server.posts[4:]) == ALL[2:]


def test_a_server_that_fails_for_a_moment_is_asked_again(
    run: Run, lake: Path, server: Receiver
) -> None:
    """The answer 500 is no answer, and how long to wait is not for the server to say."""
    server.answers = [answer_with(500), answer_with(503, **{"Retry-After": "86400"})]
    assert run("--lake", lake, "--url", server.url).out == "sent: 4 runs\n"
    assert told(server.posts[2:]) == ALL


def test_a_server_that_fails_for_good_ends_the_export(
    run: Run, lake: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one goes on from there."""
    monkeypatch.setattr(f"{HTTP}.RETRIES", 0)
    monkeypatch.setattr(f"{HTTP}.FAILURES_IN_A_ROW", 2)
    server.answers = [*[answer_with(201)] * 5, *[answer_with(500)] * 2]
    asked = ("--lake", lake, "--url", server.url)
    assert run(*asked) == Answer(1, "", f"error: the server answered 500: {AGAIN}\n")
    assert run(*asked).out == "sent: 2 runs\n"
    assert told(server.posts[7:]) == ALL[4:]


def test_a_run_at_which_the_server_fails_holds_up_no_other(
    run: Run, lake: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marquez does so at a name that its database does not take."""
    monkeypatch.setattr(f"{HTTP}.RETRIES", 0)
    monkeypatch.setattr(f"{HTTP}.FAILURES_IN_A_ROW", 2)
    fails, takes = answer_with(500), answer_with(201)
    server.answers = [takes, fails, takes, takes, takes, fails]
    answer = run("--lake", lake, "--url", server.url)
    assert (answer.code, answer.out) == (1, "sent: 2 runs\n")
    assert answer.err.splitlines()[:2] == [
        "orders 1: the server answered 500",
        "orders 2: the server answered 500",
    ]


def test_a_server_that_does_not_answer_is_told(
    run: Run, lake: Path, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bounded time."""
    done = Event()

    def hang(_handler: BaseHTTPRequestHandler, _posted: Posted) -> None:
        done.wait()

    monkeypatch.setattr(f"{HTTP}.ANSWER_SECONDS", 0.1)
    server.answers = [hang, hang]
    answer = run("--lake", lake, "--url", server.url)
    done.set()
    assert answer == Answer(1, "", f"error: the server did not answer within 60 s: {AGAIN}\n")


def test_a_web_page_is_no_answer(run: Run, lake: Path, server: Receiver) -> None:
    """A proxy that wants a login shows one to whatever is posted."""
    server.answers = [answer_document(200, "text/html; charset=utf-8", "<h1>Log in</h1>")]
    asked = ("--lake", lake, "--url", server.url)
    answer = run(*asked)
    assert answer.err == (
        "error: the server answered with a web page: correct --url or --endpoint\n"
    )
    assert run(*asked).out == "sent: 4 runs\n"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ('{"errors": ["job.facets.jobType.jobType must not be null"]}', True),
        ('{"errors": ["https://host/hook/T0KEN may not be null"]}', False),
        ('{"errors": ["\\u001b[31mred may not be null"]}', False),
        ('{"errors": "T0KEN"}', False),
        ('["T0KEN"]', False),
        ("<p>/hook/T0KEN</p>", False),
    ],
)
def test_what_is_wrong_with_an_event_is_told(
    run: Run, lake: Path, server: Receiver, document: str, why: bool
) -> None:
    """As far as it is about the event: an answer may repeat the address."""
    server.answers = [answer_document(422, "application/json", document)]
    answer = run("--lake", lake, "--url", server.url)
    reason = ": job.facets.jobType.jobType must not be null" if why else ""
    assert answer.err.splitlines()[0] == f"orders 1: the server answered 422{reason}"


def test_a_server_that_is_not_there_is_told(run: Run, lake: Path) -> None:
    """Its address is not."""
    answer = run("--lake", lake, "--url", "http://127.0.0.1:9/T0KEN")
    assert answer == Answer(1, "", f"error: the server could not be reached: {AGAIN}\n")


def test_a_run_that_alone_is_refused_holds_up_no_other(
    run: Run, lake: Path, server: Receiver
) -> None:
    """It is told, and tried again by the next export."""
    server.answers = [answer_with(201), answer_with(422)]
    asked = ("--lake", lake, "--url", server.url)
    answer = run(*asked)
    assert (answer.code, answer.out) == (1, "sent: 3 runs\n")
    assert answer.err == (
        "orders 1: the server answered 422\n"
        "error: refused: 1 run, which the next export tries again\n"
    )
    assert run(*asked).out == "sent: 1 run\n"
    assert told(server.posts[-2:]) == ALL[:2]


def test_events_go_to_a_file(run: Run, lake: Path, tmp_path: Path) -> None:
    """One a line; the part of a line that a killed export has left is dropped."""
    file = tmp_path / "events.jsonl"
    asked = ("--lake", lake, "--file", file)
    assert run(*asked, "--since", "2026-11-28").out == "sent: 1 run\n"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"eventType": "STA')
    assert run(*asked).out == "sent: 3 runs\n"
    assert file.read_bytes().startswith(whole)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["eventType"] for event in events] == [
        *("START", "COMPLETE"),
        *("START", "COMPLETE", "START", "COMPLETE", "START", "FAIL"),
    ]
    assert events[1]["run"]["runId"] == str(openlineage_run_id("orders", "3"))


def test_a_file_that_cannot_be_written_is_told(run: Run, lake: Path, tmp_path: Path) -> None:
    """In one line."""
    answer = run("--lake", lake, "--file", tmp_path / "no/such/events.jsonl")
    assert answer.code == 1
    assert answer.err.endswith("events.jsonl cannot be written: No such file or directory\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
def test_a_full_disk_is_told(run: Run, lake: Path) -> None:
    """Nothing counts as sent."""
    asked = ("--lake", lake, "--file", "/dev/full")
    for _ in range(2):
        assert run(*asked).err == "error: /dev/full cannot be written: No space left on device\n"


def test_what_was_sent_is_of_one_receiver(
    run: Run, lake: Path, server: Receiver, tmp_path: Path
) -> None:
    """Another would get nothing; nothing of the address is in the file."""
    state = tmp_path / "sent.sqlite"
    assert run("--lake", lake, "--url", server.url, "--state", state).code == 0
    answer = run("--lake", lake, "--url", f"{server.url}/other", "--state", state)
    assert answer.code == 2
    assert "another lake or receiver: give each export its own --state" in answer.err
    assert b"T0KEN" not in state.read_bytes()


def test_a_damaged_state_is_told(run: Run, lake: Path, server: Receiver, tmp_path: Path) -> None:
    """And what to do."""
    state = tmp_path / "sent.sqlite"
    state.write_text("no database, " * 100)
    answer = run("--lake", lake, "--url", server.url, "--state", state)
    assert answer.code == 2
    assert "is damaged: remove it" in answer.err
    assert server.posts == []


WRONG: list[tuple[list[str], str]] = [
    ([], "say where to, by one of --url, --kafka or --file"),
    (["--url", "http://h", "--file", "x"], "say where to, by one of --url, --kafka or --file"),
    (["--url", "http://u:S3CRET@h"], "--url is no URL to post to"),
    (["--url", "ftp://h/S3CRET"], "--url is no URL to post to"),
    (["--url", "@/no/such/file"], "--url: its file cannot be read: No such file or directory"),
    (["--url", ""], "--url is empty"),
    (["--kafka", "b:9092", "--kafka-settings", "/no/such"], "/no/such cannot be read"),
    (["--kafka", "u:S3CRET@b"], "bootstrap_servers: it must be host:port"),
    (["--url", "http://h", "--since", "yesterday"], "is neither a time"),
]


@pytest.mark.parametrize(("arguments", "why"), WRONG)
def test_wrong_use_is_told_in_one_line(
    run: Run, lake: Path, arguments: list[Any], why: str
) -> None:
    """Without secrets."""
    answer = run("--lake", lake, *arguments)
    assert answer.code in (1, 2)
    assert why in answer.err
    assert answer.err.count("\n") == 1
    assert "S3CRET" not in answer.err


def test_a_place_without_runs_is_told(run: Run, tmp_path: Path, server: Receiver) -> None:
    """As everywhere."""
    answer = run("--lake", tmp_path / "none", "--url", server.url)
    assert answer.code == 2
    assert "is not a lake" in answer.err
