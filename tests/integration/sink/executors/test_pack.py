"""`conformare pack`: its archive is all that a worker needs of ours, wherever it is unpacked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyspark
import pytest
from support.lakes.checker import check
from support.messages.produce import Topic, messages_of
from support.messages.records import make_record
from support.spark.java import FRUGAL

from conformare.cli import main
from conformare_sink.broker.broker import EmbeddedBroker
from conformare_sink.cli.submit import PROGRAM
from conformare_sink.spark.jars import SINK_JARS, resolve_jars

SECONDS = 180.0
C_LIBRARY = [
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"),
    *("librt.so.1", "libutil.so.1", "libresolv.so.2"),
]

SMALL_AND_LOCAL = (
    "spark.executor.memory=512m",
    f"spark.executor.extraJavaOptions={FRUGAL}",
    f"spark.driver.extraJavaOptions={FRUGAL}",
    "spark.driver.host=127.0.0.1",
    "spark.driver.bindAddress=127.0.0.1",
    "spark.ui.enabled=false",
)

WHAT_TASKS_IMPORT = """
import conformare_sink.executors.task
import bz2, ctypes, hashlib, json, lzma, sqlite3, ssl, sys, uuid, zlib
print(json.dumps([sys.executable, *sys.path]))
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of this environment."""
    file = tmp_path_factory.mktemp("packed") / "env.tar.gz"
    assert main(["pack", str(file)]) == 0
    assert list(file.parent.iterdir()) == [file]
    return file


def bare_root(folder: Path) -> None:
    """Lay out a file system that has a C library, a shell, and nothing else."""
    programs = [Path(str(shutil.which(name))) for name in ("sh", "dirname")]
    asked = subprocess.run(
        ["ldd", *programs],  # noqa: S607 - the system's
        capture_output=True,
        text=True,
        check=True,
    )
    (loader,) = set(re.findall(r"^\s*(/\S+) \(", asked.stdout, re.MULTILINE))
    (libc,) = set(re.findall(r"libc\.so\.6 => (/\S+)", asked.stdout))
    libraries = [Path(libc).with_name(name) for name in C_LIBRARY]
    places = {Path("/bin", program.name): program for program in programs}
    places |= {file: file for file in (Path(loader), *libraries) if file.exists()}
    for place, file in places.items():
        copy = folder / place.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the root")
def test_it_needs_of_a_worker_nothing_but_its_c_library(archive: Path, tmp_path: Path) -> None:
    """No Python, no package, no library; with every module of Python's that tasks may use."""
    bare_root(tmp_path)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "some where" / "env", filter="data")
    (tmp_path / "task.py").write_text(WHAT_TASKS_IMPORT, encoding="utf-8")
    start = "cd '/some where' && env/bin/python /task.py"  # by a relative name, as Spark does
    done = subprocess.run(
        [str(shutil.which("chroot")), str(tmp_path), "/bin/sh", "-c", start],
        env={"PATH": "/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    python, first, *_ = json.loads(done.stdout)
    assert (python, first) == ("/some where/env/python/bin/" + Path(python).name, "/")


def test_it_has_neither_spark_nor_what_only_a_driver_needs(archive: Path) -> None:
    """Spark gives its own Python half to its workers, and it is larger than all the rest."""
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    packages = {name.split("/")[1] for name in names if name.startswith("packages/")}
    assert {"conformare_schemas", "conformare_sink", "numpy", "pyarrow", "obstore"} <= packages
    assert not {"pyspark", "py4j", "pandas", "deltalake", "confluent_kafka", "pip"} & packages
    assert "packages/conformare_schemas/v1/runs.avsc" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


@pytest.mark.long
def test_executors_that_have_nothing_else_land_runs_with_it(
    archive: Path,
    broker: EmbeddedBroker,
    topic: Topic,
    topic_prefix: str,
    lake: str,
    tmp_path: Path,
) -> None:
    """Submitted as docs/howto/run-on-a-cluster.md says; nothing of this environment's is in an executor's sight."""
    records = [make_record(f"run-{n}") for n in range(8)]
    for number, record in enumerate(records):
        topic.send(messages_of(record, f"e{number}"))
    # Workers put their folders into Spark's.
    home = tmp_path / "spark"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        (home / part.name).symlink_to(part)
    # The driver alone has what the tests were started with.
    driver = tmp_path / "driver"
    path = os.pathsep.join(filter(None, sys.path))
    driver.write_text(
        f'#!/bin/sh\nexport PYTHONPATH=\'{path}\':"$PYTHONPATH"\nexec {sys.executable} "$@"\n',
        encoding="utf-8",
    )
    driver.chmod(0o755)
    command = [
        *(str(home / "bin" / "spark-submit"), "--master", "local-cluster[1,1,1024]"),
        *("--jars", ",".join(map(str, resolve_jars(SINK_JARS)))),
        *("--archives", f"{archive}#env", "--conf", "spark.pyspark.python=./env/bin/python"),
        *("--conf", f"spark.pyspark.driver.python={driver}"),
        *(word for setting in SMALL_AND_LOCAL for word in ("--conf", setting)),
        *("--conf", f"spark.local.dir={tmp_path}"),
        *(str(PROGRAM), "sink", "--once", "--bootstrap-servers", broker.bootstrap_servers),
        *("--lake", lake, "--topic-prefix", topic_prefix, "--engine", "executors"),
    ]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    done = subprocess.run(
        command,
        env={**kept, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert "8 run(s) landed" in done.stdout
    # Spark hands on both outputs of a driver as one.
    assert "the driver continues alone" not in done.stdout
    assert check(lake, records).is_sound


def test_a_place_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is left there."""
    assert main(["pack", str(tmp_path / "not there" / "env.tar.gz")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the environment was not packed: ")
    assert list(tmp_path.iterdir()) == []
