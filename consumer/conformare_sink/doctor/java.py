"""Java, and the jars that Spark needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from conformare_schemas.findings import Asked, Finding, Role
from conformare_sink.errors import JavaNotFoundError
from conformare_sink.spark.jars import SINK_JARS, is_resolved, jars_folder
from conformare_sink.spark.java import find_java, major_version


def look(asked: Asked) -> Iterator[Finding]:
    """Look for a Java that Spark runs on, and for the sink's jars."""
    if asked.role is Role.JOB and find_spec("pyspark") is None:
        for part in ("java", "jars"):
            yield Finding.unchecked(part, "pyspark is not installed, and only Spark needs it")
        return
    yield _java(asked.role)
    yield _jars(asked.role)


def _java(role: Role) -> Finding:
    try:
        java = find_java()
    except JavaNotFoundError as exc:
        if role is Role.SINK:
            return Finding.mend("java", str(exc))
        return Finding.advice("java", f"{exc}; a job needs it only for a Spark on this machine")
    return Finding.good("java", f"{java} is Java {major_version(str(java))}")


def _jars(role: Role) -> Finding:
    folder = jars_folder(SINK_JARS)
    if role is Role.JOB:
        return Finding.unchecked("jars", "only the sink needs them, on its own machine")
    if is_resolved(SINK_JARS):
        return Finding.good("jars", f"{folder} has {', '.join(SINK_JARS.coordinates)}")
    return Finding.mend(
        "jars",
        f"{folder} does not have all of them as they were tested: fetch them by "
        f"`python -m conformare_sink.spark.jars {SINK_JARS.name}`; the sink does at its first start",
    )
