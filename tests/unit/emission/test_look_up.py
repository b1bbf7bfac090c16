"""Whether the lake has a run, as a job without Spark finds out."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from support.servers.silent import silent_store

from conformare.emission import KafkaOptions
from conformare.emission import _look_up as look_up
from conformare.emission._look_up import lake_has_run

RUNS = [("orders", "run-1"), ("it's", "x' OR '1'='1")]


@pytest.fixture
def options(tmp_path: Path) -> KafkaOptions:
    """Name a lake whose table `runs` has two runs."""
    pipelines, run_ids = zip(*RUNS, strict=True)
    write_deltalake(
        str(tmp_path / "lake/runs"),
        pa.table({"run_id": pa.array(run_ids), "pipeline": pa.array(pipelines)}),
    )
    return KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "lake"))


def test_a_run_is_found_within_its_pipeline(options: KafkaOptions) -> None:
    """Whatever characters its names have."""
    for pipeline, run_id in RUNS:
        assert lake_has_run(options, pipeline, run_id)
        assert not lake_has_run(options, "another", run_id)
        assert not lake_has_run(options, pipeline, "another")
    assert not lake_has_run(options, "orders", "' OR '1'='1")


def test_without_a_lake_no_run_is_known() -> None:
    """The sink keeps the first record of a run."""
    assert not lake_has_run(KafkaOptions(bootstrap_servers="b:1"), "orders", "run-1")


def test_a_lake_that_is_not_there_yet_has_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which is nothing to warn of."""
    options = KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "none"))
    assert not lake_has_run(options, "orders", "run-1")
    assert caplog.text == ""


def test_a_lake_that_cannot_be_read_is_told_and_has_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without its location, which may hold a credential."""
    log = tmp_path / "secret/runs/_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("no JSON")
    broken = KafkaOptions(bootstrap_servers="b:1", lake=str(tmp_path / "secret"))
    assert not lake_has_run(broken, "orders", "run-1")
    assert "run 'run-1'" in caplog.text
    assert "secret" not in caplog.text
    no_session = KafkaOptions(bootstrap_servers="b:1", lake="main.governance")
    assert not lake_has_run(no_session, "orders", "run-2")
    assert "run 'run-2'" in caplog.text


def test_a_lake_that_does_not_answer_does_not_hold_up_the_job(
    options: KafkaOptions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """For longer than a bounded time."""
    answer = threading.Event()
    monkeypatch.setattr(look_up, "LOOK_UP_SECONDS", 0.05)
    monkeypatch.setattr(look_up, "_by_deltalake", lambda *_: answer.wait())
    assert not lake_has_run(options, "orders", "run-1")
    answer.set()
    assert "for run 'run-1' (no answer within 0.05 s); it is recorded" in caplog.text


JOB = """
import os, sys
import conformare as cf

mode, lake, spool = sys.argv[1:]
if mode == "the job uses deltalake":
    import deltalake
    deltalake.DeltaTable(f"{lake}/runs").version()
cf.configure_store(
    writer="kafka", bootstrap_servers="127.0.0.1:1", lake=lake, spool_dir=spool,
    exit_timeout_seconds=0,
)

def recorded(run_id):
    before = cf.delivery_stats().recorded
    cf.record_run("orders", run_id=run_id, if_run_exists="skip")
    return cf.delivery_stats().recorded - before

def in_child():
    assert recorded("run-1") == 0
    if mode == "the child uses deltalake":
        import deltalake
        assert deltalake.DeltaTable(f"{lake}/runs").version() == 0

assert recorded("run-1") == 0
if mode == "multiprocessing":
    import multiprocessing
    process = multiprocessing.get_context("fork").Process(target=in_child, daemon=True)
    process.start()
    process.join()
    assert process.exitcode == 0
else:
    pid = os.fork()
    if pid == 0:
        in_child()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert recorded("run-1") == 0
"""


@pytest.mark.parametrize(
    "mode", ["os.fork", "multiprocessing", "the job uses deltalake", "the child uses deltalake"]
)
def test_a_fork_does_no_harm(options: KafkaOptions, tmp_path: Path, mode: str) -> None:
    """Neither to the look-up of the child, nor to what parent or child do with deltalake."""
    job = subprocess.run(
        # From 3.12 on, Python warns of a fork beside threads, such as the courier's.
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            JOB,
            mode,
            str(options.lake),
            str(tmp_path / "spool"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (job.returncode, job.stdout, job.stderr) == (0, "", "")
    assert list((tmp_path / "spool").rglob("*.emission")) == []


def test_the_job_itself_never_loads_deltalake(options: KafkaOptions) -> None:
    """A process that has used it cannot be forked."""
    program = (
        "import sys; from conformare.emission import KafkaOptions; "
        "from conformare.emission._look_up import lake_has_run; "
        "options = KafkaOptions(bootstrap_servers='b:1', lake=sys.argv[1]); "
        "print(lake_has_run(options, 'orders', 'run-1'), 'deltalake' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(options.lake)], capture_output=True, check=True
    )
    assert told.stdout == b"True False\n"


def test_a_store_that_is_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And whoever asks it ends by itself."""
    monkeypatch.setattr(look_up, "LOOK_UP_SECONDS", 2.0)
    with silent_store(monkeypatch) as lake:
        options = KafkaOptions(bootstrap_servers="b:1", lake=lake)
        began = time.monotonic()
        assert not lake_has_run(options, "orders", "run-1")
        assert time.monotonic() - began < 4
        asking = [one for one in threading.enumerate() if one.name == "conformare-look-up"]
        assert asking
        for thread in asking:
            thread.join(20)
            assert not thread.is_alive()
    assert "for run 'run-1' (no answer within 2 s)" in caplog.text
    assert "secret" not in caplog.text


def test_a_panic_is_no_more_than_a_lake_that_cannot_be_read(
    options: KafkaOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is a BaseException, which nobody expects."""
    package = tmp_path / "other/deltalake"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "class PanicException(BaseException): pass\nraise PanicException('secret')\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    assert not lake_has_run(options, "orders", "run-1")
    assert "for run 'run-1' (PanicException); it is recorded" in caplog.text


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/true"])
def test_where_no_python_can_be_started_no_run_is_known(
    options: KafkaOptions,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    executable: str,
) -> None:
    """Such as in a program that has one within."""
    monkeypatch.setattr(sys, "executable", executable)
    assert not lake_has_run(options, "orders", "run-1")
    assert "the lake cannot be looked at for run 'run-1'" in caplog.text
