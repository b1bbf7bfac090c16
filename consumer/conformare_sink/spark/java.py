"""Finds the Java that Spark and the embedded broker run on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from conformare_sink.errors import JavaNotFoundError

SUPPORTED_JAVA = (17, 21)
"""Major versions of Java that Spark 4.1 is released for."""

_ADVICE = (
    "install Java 17 or 21 (Debian or Ubuntu: apt-get install openjdk-17-jre-headless) "
    "or point JAVA_HOME at one"
)
_VERSION_TIMEOUT_SECONDS = 30


def find_java() -> Path:
    """Return the `java` program, looked for as Spark does: in JAVA_HOME, otherwise in PATH.

    Raises:
        JavaNotFoundError: There is none, it does not run, or its version is not supported.
    """
    return _checked_java(os.environ.get("JAVA_HOME", ""), os.environ.get("PATH", ""))


@cache
def _checked_java(java_home: str, search_path: str) -> Path:
    if java_home:
        java: str | None = str(Path(java_home, "bin", "java"))
        place = f"JAVA_HOME={java_home}"
    else:
        java = shutil.which("java", path=search_path)
        place = "PATH"
    if java is None or not os.access(java, os.X_OK):
        raise JavaNotFoundError(f"no Java in {place}: {_ADVICE}")
    major = major_version(java)
    if major is None:
        raise JavaNotFoundError(f"{java} does not tell its version: {_ADVICE}")
    if major not in SUPPORTED_JAVA:
        raise JavaNotFoundError(f"{java} is Java {major}, which Spark does not support: {_ADVICE}")
    return Path(java)


@cache
def major_version(java: str) -> int | None:
    """Return the major version of a `java` program; None where it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own Java
            [java, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # "17.0.15", "21", "23-ea", and "1.8.0_402" for Java 8.
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None
