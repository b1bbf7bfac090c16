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

from conformare.cli import main

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "samples" / "v1" / "runs.bin"
SECONDS = 180.0
C_LIBRARY = [
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"),
    *("librt.so.1", "libutil.so.1", "libresolv.so.2"),
]

SMALL_AND_LOCAL = (
    "spark.executor.memory=512m",
    "spark.executor.extraJavaOptions=-XX:TieredStopAtLevel=1",
    "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1",
    "spark.driver.host=127.0.0.1",
    "spark.driver.bindAddress=127.0.0.1",
    "spark.ui.enabled=false",
)

WHAT_TASKS_IMPORT = """
import conformare_sink.messages.assembly, conformare_sink.messages.decode
import conformare_sink.lake.store.storage, conformare_sink.lake.tables.data_file
import pyarrow.dataset, pyarrow.parquet
import bz2, ctypes, hashlib, json, lzma, sqlite3, ssl, sys, uuid, zlib
print(json.dumps([sys.executable, *sys.path]))
"""

# The function is this program's own, so nothing of ours has to be imported to unpickle it.
ON_A_WORKER = """
import sys
from pyspark.sql import SparkSession

def decoded(batches):
    import os, sys
    import pyarrow as pa
    import conformare_sink
    from conformare_sink.messages import decode
    from conformare_sink.messages.content import content_of
    for batch in batches:
        grains = [str(content_of("runs", bytes(value.as_py()))) for value in batch["value"]]
        places = [sys.executable, conformare_sink.__file__, decode.__file__, os.getcwd()]
        yield pa.RecordBatch.from_pydict({"told": ["\\n".join([*places, *grains])]})

spark = SparkSession.builder.getOrCreate()
with open(sys.argv[1], "rb") as file:
    message = bytearray(file.read())
frame = spark.createDataFrame([(message,)], "value binary").repartition(1)
print(frame.mapInArrow(decoded, "told string").first()[0])
spark.stop()
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
        ["ldd", *programs],  # noqa: S607
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


def test_a_worker_of_spark_decodes_messages_with_it(archive: Path, tmp_path: Path) -> None:
    """As docs/deploy.md says it: `--archives`, and the Python in it; the driver keeps its own."""
    program = tmp_path / "program.py"
    program.write_text(ON_A_WORKER, encoding="utf-8")
    # Workers put their folders into Spark's.
    home = tmp_path / "spark"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        (home / part.name).symlink_to(part)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    environment = {**kept, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [
        *(str(home / "bin" / "spark-submit"), "--master", "local-cluster[1,1,1024]"),
        *("--archives", f"{archive}#env", "--conf", "spark.pyspark.python=./env/bin/python"),
        *("--conf", f"spark.pyspark.driver.python={sys.executable}"),
        *(word for setting in SMALL_AND_LOCAL for word in ("--conf", setting)),
        *("--conf", f"spark.local.dir={tmp_path}", str(program), str(SAMPLE)),
    ]
    done = subprocess.run(
        command,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    python, package, module, folder, content = done.stdout.splitlines()[:5]
    assert Path(folder).is_relative_to(home / "work")
    assert all(Path(place).is_relative_to(folder) for place in (python, package, module))
    assert "run_id" in content


def test_a_place_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is left there."""
    assert main(["pack", str(tmp_path / "not there" / "env.tar.gz")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the environment was not packed: ")
    assert list(tmp_path.iterdir()) == []
