"""The sink's commands as a program that `spark-submit` can be given."""

from __future__ import annotations

from pathlib import Path

PROGRAM = Path(__file__).with_name("program.py")
"""The file to submit; its arguments are those of the `conformare` command line."""
