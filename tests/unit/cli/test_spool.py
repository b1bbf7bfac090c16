"""`conformare spool`: what it prints, what it sends, what it leaves, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from confluent_kafka import Producer
from rich.console import Console
from support.jobs.spool_command import Answer, Run
from support.jobs.spooled import DESTINATION, MAX_BYTES, contents, hold, leave, reject
from support.messages.produce import emission_of
from support.messages.records import make_record

from conformare.cli import _spool_table as table_module
from conformare.cli import spool as spool_command
from conformare.emission._courier import Courier
from conformare.emission._dispatch import Dispatch, route
from conformare.emission.spool import Destination, Spool

# Far from any of librdkafka's own time-outs, and from what a slow machine needs.
PATIENCE_SECONDS = 20


class Broker(NamedTuple):
    """librdkafka's mock of one, which listens on a port of this machine."""

    address: str
    producer: Producer

    def topics(self) -> set[str]:
        """Return the topics that something was sent to."""
        return set(self.producer.list_topics(timeout=PATIENCE_SECONDS).topics)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker that acknowledges everything."""
    options = {"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0}
    producer = Producer(options)
    (known,) = producer.list_topics(timeout=PATIENCE_SECONDS).brokers.values()
    yield Broker(f"127.0.0.1:{known.port}", producer)
    producer.flush(0)


def test_an_empty_spool_is_told_in_one_line(run: Run, root: Path) -> None:
    """Whether it exists or not."""
    nothing = Answer(0, f"nothing waits in {root}\n", "")
    assert run("list") == nothing
    root.mkdir()
    assert run("list") == nothing
    assert run("list", "--json") == Answer(0, "", "")
    assert run("send") == Answer(0, "0 run(s) delivered, 0 wait\n", "")


def test_the_list_tells_what_waits_and_why(run: Run, root: Path) -> None:
    """By destination, with a cause that many have in common said once."""
    holder, _ = hold(root, ["run-1"])
    leave(root, "run-2", "run-3", cause="the broker is away")
    reject(root, "run-4", "too large", Destination("other:9092", "trial."))
    (damaged,) = leave(root, "run-5")
    damaged.write_bytes(b"half")
    code, text, _ = run("list")
    assert code == 0
    assert text.index("127.0.0.1:1, topics conformare.*") < text.index("other:9092, topics trial.*")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    found = {line.split()[1]: line for line in lines if line.startswith("pipeline run-")}
    assert found.keys() == {"run-1", "run-2", "run-3", "run-4"}
    assert found["run-1"].endswith("with a running process")
    assert found["run-2"].endswith("left by an ended one (1)")
    assert found["run-4"].endswith("rejected (1)")
    assert lines.count("(1) the broker is away") == 1
    assert "(1) too large" in lines
    assert f"(1) {damaged}: it is not a spooled emission, or it is from a later release" in lines
    assert lines[-1].startswith("5 run(s) of ")
    assert lines[-1].endswith(
        ": 1 with a running process, 3 left by an ended one, 1 rejected; 1 damaged"
    )
    holder.leave()


def test_the_list_is_bounded_and_the_lines_for_scripts_are_not(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest are shown."""
    monkeypatch.setattr(table_module, "MOST_LINES", 2)
    files = leave(root, *(f"run-{n}" for n in range(5)), cause="away")
    text = run("list").out
    assert [f"run-{n}" in text for n in range(5)] == [True, True, False, False, False]
    assert "these are the 2 oldest; --json prints all\n5 run(s)" in text
    found = [json.loads(line) for line in run("list", "--json").out.splitlines()]
    assert [entry["run_id"] for entry in found] == [f"run-{n}" for n in range(5)]
    first = found[0]
    assert 0 <= first.pop("age_seconds") < 60
    assert first.pop("recorded_at").endswith("+00:00")
    assert first == {
        "bootstrap_servers": "127.0.0.1:1",
        "topic_prefix": "conformare.",
        "pipeline": "pipeline",
        "run_id": "run-0",
        "size_bytes": files[0].stat().st_size,
        "where": "left",
        "why": "away",
        "damage": None,
        "file": str(files[0]),
    }


def test_hostile_names_reach_no_terminal(run: Run, root: Path) -> None:
    """Neither as control characters nor as markup."""
    name = "\x1b[2J\x9b\u202e\n[bold]x[/bold] :smile:"
    for destination in (Destination("b:1", "p."), Destination("\x1b[2J:1", "\x1b]0;")):
        spool = Spool(root, destination, MAX_BYTES)
        spool.put(emission_of(make_record(name, pipeline=name)))
        spool.say_why(name)
        spool.leave()
    text = run("list").out
    # The pipeline, the run and the cause of the one; the other is a stranger's, and damaged.
    assert text.count(r"\x1b[2J\x9b\u202e\n[bold]x[/bold] :smile:") == 3
    everything = text + "".join(run("list", "--json")[1:])
    everything += "".join(run("send", "--timeout-seconds", 0)[1:])
    leave(root, "run-2")
    everything += run("send", "--bootstrap-servers", "\x1b[2J:1", "--timeout-seconds", 0).out
    assert all(sign.isprintable() for sign in everything.replace("\n", ""))


def test_send_delivers_to_each_destination(run: Run, root: Path, broker: Broker) -> None:
    """The one that the files name; what a running process holds is left to it."""
    for prefix in ("a.", "b."):
        leave(root, "run-1", "run-2", destination=Destination(broker.address, prefix))
    holder, (held,) = hold(root, ["run-3"], Destination(broker.address, "c."))
    assert run("send", "--timeout-seconds", PATIENCE_SECONDS) == Answer(
        0,
        "4 run(s) delivered, 0 wait, 1 belong to running processes, which send them themselves\n",
        "sending 4 run(s)\n",
    )
    assert contents(root).keys() == {held.name}
    assert {topic[:2] for topic in broker.topics()} == {"a.", "b."}
    holder.leave()


def test_what_a_job_takes_over_in_between_is_left_to_it(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has looked just then."""
    leave(root, "run-1")
    job = Spool(root, DESTINATION, MAX_BYTES)
    start = Dispatch.start

    def start_late(dispatch: Dispatch) -> int:
        assert len(job.adopt()) == 1
        return start(dispatch)

    monkeypatch.setattr(Dispatch, "start", start_late)
    assert run("send") == Answer(
        0,
        "0 run(s) delivered, 0 wait, 1 belong to running processes, which send them themselves\n",
        "",
    )
    job.leave()


def test_send_tells_why_something_waits(run: Run, root: Path) -> None:
    """In bounded time and with exit code 1; everything is still there, for the next process."""
    files = leave(root, "run-1", "run-2")
    started = time.monotonic()
    code, text, _ = run("send", "--timeout-seconds", 0.3)
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert code == 1
    assert text.startswith("0 run(s) delivered, 2 wait (127.0.0.1:1: ")
    assert Spool(root, DESTINATION, MAX_BYTES).adopt() == files


def test_what_the_courier_is_held_up_by_is_told(root: Path) -> None:
    """As soon as librdkafka says so."""
    leave(root, "run-1")
    dispatch = Dispatch(root, {DESTINATION: route(DESTINATION, None, None)})
    assert dispatch.start() == 1
    ((_, courier),) = dispatch._couriers
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while courier.trouble is None and time.monotonic() < give_up_at:
        dispatch.wait(0.05)
    assert dispatch.close().troubles["127.0.0.1:1"].startswith("_")


def test_the_last_line_tells_it_all(root: Path) -> None:
    """No warning of the courier comes between."""
    leave(root, "run-1")
    program = "from conformare.cli import main; main()"
    command = [sys.executable, "-c", program, "spool", "send", "--timeout-seconds", "0.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("0 run(s) delivered, 1 wait (127.0.0.1:1: ")
    assert done.stderr == "sending 1 run(s)\n"


def test_send_can_address_everything_anew(run: Run, root: Path, broker: Broker) -> None:
    """A job had a wrong name for its broker, or a wrong prefix."""
    leave(root, "run-1")
    leave(root, "run-2", destination=Destination("wrong.invalid:9092", "b."))
    assert run("send", "--bootstrap-servers", broker.address).code == 0
    assert {topic.split(".")[0] for topic in broker.topics()} == {"conformare", "b"}
    leave(root, "run-3")
    assert run("send", "--bootstrap-servers", broker.address, "--topic-prefix", "c.").code == 0
    assert "c.runs" in broker.topics()
    assert contents(root) == {}


def test_the_environment_addresses_nothing_anew(
    run: Run, root: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is that of one job, and would send the runs of all others to its brokers."""
    monkeypatch.setenv("CONFORMARE_BOOTSTRAP_SERVERS", broker.address)
    monkeypatch.setenv("CONFORMARE_TOPIC_PREFIX", "c.")
    leave(root, "run-1")
    assert run("send", "--timeout-seconds", 0.3).code == 1
    assert broker.topics() == set()


def test_send_takes_librdkafkas_options_from_the_environment(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As jobs do."""
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"test.mock.num.brokers": 1}')
    leave(root, "run-1", destination=Destination("nowhere.invalid:1", "a."))
    assert run("send", "--timeout-seconds", PATIENCE_SECONDS).out == "1 run(s) delivered, 0 wait\n"


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        ("KAFKA", '{"sasl.password": "secret"', "CONFORMARE_KAFKA is not JSON"),
        ("KAFKA", '["secret"]', "kafka: Input should be a valid dictionary"),
        ("KAFKA", '{"no.such.option": "secret"}', "No such configuration property"),
        ("KAFKA", '{"bootstrap.servers": "secret"}', "set bootstrap_servers"),
        ("MAX_MESSAGE_BYTES", "1", "greater than or equal to"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(
    variable: str, text: str, told: str, run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what may be a secret; everything is still there, for the next process."""
    monkeypatch.setenv(f"CONFORMARE_{variable}", text)
    files = leave(root, "run-1")
    code, _, error = run("send")
    assert code == 1
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert told in error
    assert "secret" not in error
    assert Spool(root, DESTINATION, MAX_BYTES).adopt() == files


def test_send_tries_rejected_ones_again_when_asked_to(
    run: Run, root: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused once more is counted as such, and is a failure."""
    reject(root, "run-1", "too large", Destination(broker.address, "a."))
    assert run("send").out == "0 run(s) delivered, 0 wait\n"
    monkeypatch.setenv("CONFORMARE_KAFKA", '{"topic.metadata.refresh.interval.ms": 100}')
    monkeypatch.setenv("CONFORMARE_MAX_MESSAGE_BYTES", "2000")
    large = make_record("run-2", rows={})
    large["runs"][0]["title"] = "x" * 3_000
    Spool(root, Destination(broker.address, "a."), MAX_BYTES).reject(emission_of(large), "large")
    code, text, _ = run("send", "--rejected", "--timeout-seconds", PATIENCE_SECONDS)
    assert (code, text) == (1, "1 run(s) delivered, 0 wait, 1 rejected\n")
    (kept,) = contents(root / "rejected")
    assert "MSG_SIZE_TOO_LARGE" in (root / "rejected" / f"{kept}.cause").read_text()


def test_a_damaged_file_is_told_and_holds_nothing_up(run: Run, root: Path, broker: Broker) -> None:
    """It is a failure, once: it goes to the rejected ones."""
    broken, _ = leave(root, "run-1", "run-2", destination=Destination(broker.address, "a."))
    broken.write_bytes(b"half")
    broken.with_name("\x1b[2J.emission").touch()
    answer = run("send", "--timeout-seconds", PATIENCE_SECONDS)
    assert (answer.code, answer.out) == (1, "1 run(s) delivered, 0 wait\n")
    assert f"error: {broken}: it is not a spooled emission" in answer.err
    assert r"/\x1b[2J.emission: it is not a spooled emission" in answer.err
    assert run("send").code == 0


def test_ctrl_c_leaves_the_rest_in_the_spool(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how much it is."""

    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    files = leave(root, "run-1")
    monkeypatch.setattr(Courier, "wait", interrupt)
    code, text, _ = run("send")
    assert code == 130
    assert text.startswith("0 run(s) delivered, 1 wait (127.0.0.1:1: ")
    assert Spool(root, DESTINATION, MAX_BYTES).adopt() == files


def test_a_terminal_shows_progress(
    run: Run, root: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to all of them."""
    screen = io.StringIO()
    monkeypatch.setattr(spool_command, "err", Console(file=screen, force_terminal=True, width=80))
    leave(root, "run-1", "run-2", destination=Destination(broker.address, "a."))
    assert run("send", "--timeout-seconds", PATIENCE_SECONDS).code == 0
    assert "2/2" in screen.getvalue()
    assert "sending" not in screen.getvalue()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["import", "gone.zip"], 2, "does not exist"),
        (["import", "file"], 1, "file cannot be read: it is not a spool archive"),
        (["list", "--spool-dir", "file"], 2, "is a file"),
        (["send", "--timeout-seconds", "-1"], 2, "--timeout-seconds"),
        (["export"], 2, "Missing argument"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str],
    code: int,
    told: str,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a traceback."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("text")
    answer = run(*arguments)
    assert answer.code == code
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert told in answer.err


def test_a_user_without_a_home_is_told_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no folder to look at."""

    def no_home() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("CONFORMARE_SPOOL_DIR")
    monkeypatch.setattr(spool_command, "default_spool_folder", no_home)
    assert run("list") == Answer(
        1, "", "error: the spool has no folder (no home); use --spool-dir\n"
    )


def test_a_job_imports_nothing_of_it() -> None:
    """Neither the commands nor what they are made of."""
    program = "import sys, conformare.emission; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    package = "conformare.emission"
    ours = {"conformare.cli", f"{package}._dispatch"}
    ours |= {f"{package}.spool.{name}" for name in ("_archive", "_collection", "_inventory")}
    assert f"{package}.spool._spool" in modules
    assert not {"typer", "rich", *ours} & set(modules)
