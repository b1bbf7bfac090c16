"""`python -m conformare_sink.spark.jars [NAME ...]`: fetch jars now, so that nothing has to wait later."""

from __future__ import annotations

import sys

from rich.console import Console

from conformare_sink.errors import SinkError
from conformare_sink.spark.jars import JAR_SETS, is_resolved, jars_folder, resolve_jars
from conformare_sink.spark.java import find_java

_BYTES_PER_MEGABYTE = 1_000_000
_WRONG_USE = 2
_FAILURE = 1


def main(names: list[str]) -> int:
    """Fetch jar sets and say where they are, one line each; return the exit code.

    Args:
        names: Names of the sets; none for all of them.
    """
    err = Console(stderr=True, soft_wrap=True, highlight=False)
    jar_sets = {jar_set.name: jar_set for jar_set in JAR_SETS}
    unknown = [name for name in names if name not in jar_sets]
    if unknown:
        err.print(f"error: unknown jar set {unknown[0]!r}; there are: {', '.join(jar_sets)}")
        return _WRONG_USE
    out = Console(soft_wrap=True, highlight=False)
    try:
        # Also where nothing is left to fetch: `make setup` learns here that Java is missing.
        find_java()
        for name in names or jar_sets:
            jar_set = jar_sets[name]
            if is_resolved(jar_set):
                jars = resolve_jars(jar_set)
            else:
                with err.status(f"Fetching the {jar_set.name} jars, once"):
                    jars = resolve_jars(jar_set)
            megabytes = sum(jar.stat().st_size for jar in jars) / _BYTES_PER_MEGABYTE
            out.print(
                f"{jar_set.name}: {len(jars)} jars, {megabytes:.0f} MB, {jars_folder(jar_set)}"
            )
    except SinkError as exc:
        err.print(f"error: {exc}", markup=False)
        return _FAILURE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
