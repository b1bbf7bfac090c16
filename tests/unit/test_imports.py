"""What `import conformare` costs a job that may never record a run."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"pyspark", "pandas", "great_expectations", "confluent_kafka", "pydantic", "rich", "typer"}


def test_nothing_that_takes_time_is_loaded() -> None:
    """It is when a store is configured, or a run recorded; Spark never by us."""
    program = "import sys, conformare; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(loaded.stdout.split()) == set()
