"""MinIO's program, built once for each machine: a server of tests, never shipped."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformare_sink.spark.jars import cache_directory

MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
_BUILD_SECONDS = 1_800.0


def minio_program() -> Path:
    """Return MinIO's program; build it where this machine does not have it.

    Raises:
        RuntimeError: It could not be built.
    """
    folder = cache_directory() / "minio" / MODULE.rpartition("@")[2]
    program = folder / "minio"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(folder)
    return program


def _build(folder: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise RuntimeError("MinIO is built with Go, and there is no `go`: install Go 1.24 or newer")
    print(f"Building MinIO with Go, once, in {folder}: some minutes", file=sys.stderr)  # noqa: T201 - a minute's silence otherwise
    draft = folder / "draft"
    built = subprocess.run(
        [go, "install", MODULE],
        env={**os.environ, "GOBIN": str(draft)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if built.returncode:
        raise RuntimeError(f"MinIO could not be built: {built.stdout[-1000:]}")
    (draft / "minio").replace(folder / "minio")
