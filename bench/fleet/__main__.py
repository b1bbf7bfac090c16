"""How fast the fleet answers: `python -m bench.fleet` over a million runs, beside the obvious SQL and Spark."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.fleet.generated import Size, generate
from bench.fleet.obvious import SQL
from bench.fleet.ours import QUESTIONS
from bench.fleet.shown import page, report
from bench.fleet.used import Used
from bench.landing.figures import at_most

SIZE = Size(runs=1_000_000, pipelines=1_000)
OPENING_SECONDS, QUESTION_SECONDS, QUESTION_MB = 1.5, 1.0, 500


def _measured(way: str, lake: Path, question: str) -> Used:
    command = [sys.executable, "-m", "bench.fleet.one", way, str(lake), question]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Used(*json.loads(told.splitlines()[-1]))


def ask_all(lake: Path, ways: list[str]) -> None:
    """Print what opening and each question take, each in a process of its own.

    Args:
        lake: The lake.
        ways: By what the same is asked beside.
    """
    opened = _measured("opening", lake, "")
    print(at_most("opening, s of CPU", opened.cpu_seconds, OPENING_SECONDS))
    for question in QUESTIONS:
        found = _measured("ours", lake, question)
        print(at_most(f"{question}, s of CPU", found.cpu_seconds, QUESTION_SECONDS))
        print(at_most(f"{question}, MB", found.peak_mb, QUESTION_MB), flush=True)
        for way in ways if question in SQL else ():
            other = _measured(way, lake, question)
            print(
                f"  BESIDE {question}, {way}: {other.cpu_seconds:,.2f} s of CPU, "
                f"{other.peak_mb:,.0f} MB, {other.rows:,} rows",
                flush=True,
            )


def main() -> None:
    """Measure all, or the parts that the command line names."""
    parser = argparse.ArgumentParser(prog="bench.fleet", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of questions, page, report; all")
    parser.add_argument(
        "--lake", type=Path, help="such a lake, of an earlier call; it is made else"
    )
    parser.add_argument(
        "--beside", nargs="*", default=["deltalake", "spark"], help="of deltalake and spark; both"
    )
    asked = parser.parse_args()
    parts = asked.parts or ["questions", "page", "report"]
    with tempfile.TemporaryDirectory(dir=asked.lake and asked.lake.parent) as name:
        lake = asked.lake or Path(name) / "lake"
        if not lake.exists() and parts != ["report"]:
            print(f"making {SIZE.runs:,} runs of {SIZE.pipelines:,} pipelines", flush=True)
            generate(lake, SIZE)
        if "questions" in parts:
            ask_all(lake, asked.beside)
        if "page" in parts:
            page(lake, SIZE, Path(name))
        if "report" in parts:
            report(Path(name))


if __name__ == "__main__":
    main()
