"""Python, and what is installed for a role."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version

from conformare_schemas.findings import Asked, Finding, Role

DISTRIBUTION = "conformare-stream"

_TESTED = "Programming Language :: Python :: 3."
_OF_SINK = ("pyspark", "delta-spark", "deltalake", "obstore", "pyarrow", "numpy", "pandas")
_FOR = {
    "pyspark": "reads the topics",
    "delta-spark": "writes tables in a catalog",
    "deltalake": "writes tables in folders",
    "obstore": "reaches object stores",
    "pyarrow": "holds rows in memory",
    "numpy": "finds runs that have landed",
    "pandas": "is looked for by Spark before it deals out tasks",
}
_PINNED = ("pyspark", "delta-spark")
"""Those of which one release fits the jars that the sink fetches."""


def look(asked: Asked) -> Iterator[Finding]:
    """Look at the Python that runs this, and at the packages beside it."""
    yield _python()
    if asked.role is Role.SINK:
        yield from packages()
    else:
        yield Finding.unchecked(
            "packages", f"{', '.join(_OF_SINK)}: only the sink needs them, on its own machine"
        )


def _python() -> Finding:
    told = f"Python {platform.python_version()}, {sys.executable}"
    tested = _tested_minors()
    if tested and sys.version_info.minor not in tested:
        return Finding.advice(
            "python",
            f"{told}: it is not among the tested 3.{min(tested)} to 3.{max(tested)}; make the virtual "
            "environment with one of them",
        )
    return Finding.good("python", f"{told}; {DISTRIBUTION} {_installed(DISTRIBUTION) or 'unknown'}")


def _tested_minors() -> list[int]:
    try:
        classifiers = metadata(DISTRIBUTION).get_all("Classifier") or []
    except PackageNotFoundError:
        return []
    return [int(one.removeprefix(_TESTED)) for one in classifiers if one.startswith(_TESTED)]


def packages() -> Iterator[Finding]:
    """Look for what the sink needs beside what a job needs."""
    found = {name: _installed(name) for name in _OF_SINK}
    missing = [name for name, installed in found.items() if installed is None]
    if missing:
        told = ", ".join(f"{name} ({_FOR[name]})" for name in missing)
        yield Finding.mend("packages", f'not installed: {told}: pip install "{DISTRIBUTION}[sink]"')
    from conformare_sink.spark.jars import DELTA_VERSION, SPARK_VERSION

    for name, wanted in zip(_PINNED, (SPARK_VERSION, DELTA_VERSION), strict=True):
        if found[name] not in (None, wanted):
            yield Finding.mend(
                "packages",
                f"{name} is {found[name]}, and the sink's jars are those of {wanted}: "
                f'pip install "{name}=={wanted}"',
            )
    if not missing:
        told = ", ".join(f"{name} {installed}" for name, installed in found.items())
        yield Finding.good("packages", told)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
