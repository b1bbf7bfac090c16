"""How long `import conformare` takes, and what it does not load."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from bench.emission.figures import at_most
from bench.emission.jobs.job import bare_environment

TIMES = 15
MOST_SECONDS = 0.3
NOT_LOADED = ("pyspark", "pandas", "great_expectations", "confluent_kafka")


def time_of_import() -> None:
    """Print the time of a Python that imports conformare, against one that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        _seconds_of("import conformare", folder)  # writes its bytecode if there is none
        plain, importing = [], []
        for _ in range(TIMES):
            plain.append(_seconds_of("pass", folder))
            importing.append(_seconds_of("import conformare", folder))
        loaded = _run(
            f"import sys, conformare; print(*sys.modules.keys() & set({NOT_LOADED}))", folder
        )
    without, whole = statistics.median(plain), statistics.median(importing)
    print(
        f"  python -c pass {without:.3f} s, with the import {whole:.3f} s (medians of {TIMES}): "
        f"{whole / without:.1f} times"
    )
    print(at_most("import conformare", whole - without, MOST_SECONDS, "s"))
    print(at_most("python -c 'import conformare'", whole, MOST_SECONDS, "s"))
    what = f"loads none of {', '.join(NOT_LOADED)}"
    print(f"  {'MISSED' if loaded else 'PASS':<6} {what}{': ' + loaded if loaded else ''}")


def _seconds_of(program: str, folder: str) -> float:
    start = time.perf_counter()
    _run(program, folder)
    return time.perf_counter() - start


def _run(program: str, folder: str) -> str:
    # Nothing of the bench or the tests can be imported, and the folder has nothing to import.
    environment = {**bare_environment(), "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()
