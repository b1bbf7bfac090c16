"""`conformare doctor` itself: how it prints, how it ends, and what it does where little is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformare.cli import main
from conformare_schemas.findings import Asked, Finding, State
from conformare_sink.cli import doctor as subject
from conformare_sink.doctor.examination import Check

HOSTILE = "a\x1b[2Jb\nc\u202e[/boom]"
OF_SINK = ("pyspark", "delta", "deltalake", "obstore", "pyarrow", "numpy", "pandas")


def finding(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    """Let there be these findings and no others."""

    def look(_: Asked) -> Iterator[Finding]:
        yield from findings

    monkeypatch.setattr(subject, "CHECKS", [Check("all", lambda: look, "")])
    monkeypatch.setattr(subject, "_registered", lambda: iter(()))


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ((Finding.good("a", "x"), Finding.advice("b", "y"), Finding.unchecked("c", "z")), 0),
        ((Finding.good("a", "x"), Finding.mend("b", "y")), 1),
    ],
)
def test_the_exit_code_says_whether_something_is_to_be_mended(
    findings: tuple[Finding, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Advice is none, and nor is what was not looked at."""
    finding(monkeypatch, *findings)
    assert main(["doctor"]) == code
    assert main(["doctor", "--json"]) == code


def test_json_has_every_line_exactly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one line of ASCII."""
    finding(monkeypatch, Finding.mend("lake", HOSTILE))
    assert main(["doctor", "--json", "--role", "job"]) == 1
    line = capsys.readouterr().out
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "role": "job",
        "well": False,
        "findings": [{"part": "lake", "state": "mend", "line": HOSTILE}],
    }


def test_people_get_names_that_a_terminal_does_not_obey(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finding on one line, and a count of all."""
    finding(monkeypatch, Finding.mend("lake", HOSTILE), Finding.good("java", "17"))
    main(["doctor", "--role", "sink"])
    printed = capsys.readouterr().out
    assert r"│ mend │ lake │ a\x1b[2Jb\nc\u202e[/boom] │" in printed
    assert printed.startswith("The machine of a sink\n")
    assert printed.endswith("1 good, 1 mend\n")
    assert "\x1b" not in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bootstrap-servers", "hunter2@broker"], "it must be host:port, separated by commas"),
        (["--bootstrap-servers", "broker:9092,"], "--bootstrap-servers must be host:port"),
        (["--bootstrap-servers", ""], "--bootstrap-servers is empty"),
        (["--lake", ""], "--lake is empty"),
        (["--role", "fleet"], "--role"),
        (["--kafka-settings", "/no/file"], "/no/file cannot be read"),
        (["--storage-options", "/no/file"], "/no/file cannot be read"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is looked at."""
    assert main(["doctor", *arguments]) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert "hunter2" not in printed.err
    assert printed.out == ""


def test_a_jobs_own_options_that_are_wrong_are_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are shown to brokers by a job only."""
    finding(monkeypatch)
    monkeypatch.setenv("CONFORMARE_KAFKA", "hunter2")
    assert main(["doctor", "--role", "sink"]) == 0
    assert main(["doctor", "--role", "job"]) == 2
    printed = capsys.readouterr()
    assert "kafka (CONFORMARE_KAFKA) is no object in JSON" in printed.err
    assert "hunter2" not in printed.err


def test_it_runs_on_a_jobs_machine(tmp_path: Path) -> None:
    """With the command line's own packages and no others: what is missing is told with what needs it."""
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({OF_SINK!r}))\n"
        "from conformare.cli import main\n"
        "sys.exit(main(['doctor', '--json', '--lake', 'any', '--bootstrap-servers', '127.0.0.1:1']))\n"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONFORMARE_")},
        "CONFORMARE_SPOOL_DIR": str(tmp_path / "spool"),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stderr == ""
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["role"] == "job"
    found = {(one["part"], one["state"]): one["line"] for one in report["findings"]}
    assert found["java", "not checked"].startswith("pyspark is not installed")
    assert found["lake", "not checked"].startswith(
        "obstore is not installed; what lands runs needs it"
    )
    assert found["broker", "mend"].startswith("no Kafka broker answers at 127.0.0.1:1 ")
    assert {part for part, state in found if state == "good"} == {
        "environment",
        "python",
        "settings of the job",
        "spool",
    }


def test_an_old_java_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sink cannot do without; a job may."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", str(tmp_path))
    states = {}
    for role in ("sink", "job"):
        main(["doctor", "--json", "--role", role])
        report = json.loads(capsys.readouterr().out)
        states[role] = {one["part"]: (one["state"], one["line"]) for one in report["findings"]}
    state, line = states["sink"]["java"]
    assert state == State.MEND
    assert line.startswith(f"{java} is Java 8, which Spark does not support: install Java 17 or 21")
    assert states["job"]["java"][0] == State.ADVICE
    state, line = states["sink"]["jars"]
    assert state == State.MEND
    assert line.startswith(f"{tmp_path}/jars/sink-")
    assert "python -m conformare_sink.spark.jars sink" in line


def test_odd_variables_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt one changes nothing, and another stops the command that it is for."""
    monkeypatch.setenv("CONFORMARE_LAK", "/lake")
    assert main(["doctor", "--json", "--role", "job"]) == 0
    monkeypatch.setenv("CONFORMARE_METRICS_PORT", "tcp://10.0.0.1:9464")
    assert main(["doctor", "--json", "--role", "job"]) == 1
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    lines = {
        one["line"]: one["state"] for one in report["findings"] if one["part"] == "environment"
    }
    assert lines == {
        "CONFORMARE_METRICS_PORT: Input should be a valid integer, unable to parse string as an "
        "integer: correct it, or remove it": "mend",
        "CONFORMARE_LAK is no setting and changes nothing; did you mean CONFORMARE_LAKE?": "advice",
    }
