"""`conformare demo` as a user runs it: a process of its own, with its own Kafka and Spark."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.lakes.checker import read_table

from conformare_demo.findings import read_findings

COMMAND = (sys.executable, "-c", "import sys; from conformare.cli import main; sys.exit(main())")
DEMO_SECONDS = 600
STOP_SECONDS = 60
STEP_LINE = re.compile(r" *\d+\.\d s  [A-Z].*")


def demo_command(folder: Path) -> list[str]:
    """The command line of a demo in a folder."""
    return [*COMMAND, "demo", "--dir", str(folder)]


def processes_in(folder: Path) -> list[int]:
    """Processes that work in a folder, as the demo's broker does."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            directory = link.readlink()
        except OSError:  # it has ended, or is another user's
            continue
        if directory.is_relative_to(folder):
            found.append(int(link.parent.name))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder; a blank in its name, as users have."""
    return tmp_path_factory.mktemp("demo of a user")


@pytest.fixture(scope="module")
def shown(folder: Path) -> subprocess.CompletedProcess[str]:
    """A demo that has run to its end."""
    return subprocess.run(
        demo_command(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEMO_SECONDS,
        cwd=folder,
    )


@pytest.fixture(scope="module")
def demo_lake(folder: Path, shown: subprocess.CompletedProcess[str]) -> Path:
    """The lake that the demo has filled."""
    assert shown.returncode == 0, shown.stderr
    (lake,) = folder.glob("*/lake")
    return lake


def test_the_three_runs_are_healthy_degraded_and_failed_for_their_reasons(demo_lake: Path) -> None:
    """As the tables say, not as the demo prints."""
    runs = sorted(read_table(demo_lake, "runs"), key=lambda run: run["ts"])
    names = ("status", "env", "n_sources", "n_sinks", "n_contexts", "sensitive_written")
    assert [tuple(run[name] for name in names) for run in runs] == [
        ("healthy", "demo", 5, 3, 4, 1),
        ("degraded", "demo", 5, 3, 4, 1),
        ("failed", "demo", 5, 3, 4, 1),
    ]
    assert [dict(run["tags"]) for run in runs] == [{"team": "punctuality"}] * 3
    unowned = [risk for risk in read_table(demo_lake, "risks") if not risk["owned"]]
    assert unowned == []
    (failed,) = (row for row in read_table(demo_lake, "expectations") if not row["success"])
    assert (failed["column"], failed["observed"], failed["hard"], failed["error"]) == (
        "arr_delay",
        "1175 of 328521 unexpected",
        True,
        None,
    )


def test_the_changed_context_drifted_and_no_other(demo_lake: Path) -> None:
    """Its implementation moved under risks that stayed."""
    drifts = read_findings(str(demo_lake)).drifts
    moved = [
        (d.context, d.impl_hashes[0] != d.impl_hashes[1], d.risk_hashes[0] != d.risk_hashes[1])
        for d in drifts
    ]
    assert moved == [("weather at departure", False, True), ("flown flights", True, False)]


def test_only_steps_and_findings_reach_the_terminal(
    shown: subprocess.CompletedProcess[str], demo_lake: Path
) -> None:
    """Neither Spark nor Great Expectations has a word; the replay changed nothing."""
    assert [line for line in shown.stderr.splitlines() if not STEP_LINE.fullmatch(line)] == []
    for telling in (
        "healthy",
        "degraded",
        "failed",
        "code changed",
        "tailnum",
        "The replay changed nothing: 0 runs landed, 3 known already, all 10 tables",
        "its newest run failed: expect_column_values_to_not_be_null(arr_delay) does not hold",
        "the code of flown flights changed, its risks did not",
        f"  {demo_lake.with_name('fleet.html').as_uri()}\n",
        f"  conformare fleet serve --lake '{demo_lake}'\n",
    ):
        assert telling in shown.stdout


def test_the_report_has_what_needs_a_person(demo_lake: Path) -> None:
    """A file that anybody can open."""
    report = demo_lake.with_name("fleet.html").read_text(encoding="utf-8")
    assert "flight_delays" in report
    assert "the code of flown flights changed" in report


def test_what_the_pipeline_wrote_is_there_and_nothing_runs_on(
    demo_lake: Path, folder: Path
) -> None:
    """The broker's data are gone with it; the folder that the user stood in is as it was."""
    work = demo_lake.parent
    assert sorted(path.name for path in work.iterdir()) == ["fleet.html", "lake", "tables"]
    assert sorted(path.name for path in folder.iterdir()) == [work.name, "data"]
    assert len(read_table(work / "tables", "delays_by_weather")) == 15
    assert processes_in(folder) == []


@pytest.mark.parametrize(
    ("number", "after", "exit_code"),
    [
        (signal.SIGTERM, "Starting Kafka", 143),
        pytest.param(signal.SIGINT, "Starting Spark", 130, marks=pytest.mark.long),
    ],
)
def test_a_demo_that_is_broken_off_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals, after: str, exit_code: int
) -> None:
    """And says nothing about it; here while Spark starts, and in the middle of the pipeline."""
    with subprocess.Popen(
        demo_command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        while after not in (line := running.stderr.readline()):
            assert line, "the demo ended early"
        assert processes_in(tmp_path) != []
        running.send_signal(number)
        running.send_signal(number)  # an impatient user's second one disturbs nothing
        _, said = running.communicate(timeout=STOP_SECONDS)
    assert (running.returncode, said) == (exit_code, "")
    assert processes_in(tmp_path) == []


def test_a_machine_without_java_is_told_in_one_line(tmp_path: Path) -> None:
    """Before anything is unpacked or started."""
    done = subprocess.run(
        demo_command(tmp_path / "demo"),
        capture_output=True,
        text=True,
        check=False,
        timeout=STOP_SECONDS,
        env={**os.environ, "JAVA_HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: no Java in JAVA_HOME={tmp_path}: install Java 17 or 21")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
