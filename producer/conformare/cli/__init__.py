"""The `conformare` program, and the commands of the job's side."""

from conformare.cli._main import main

__all__ = ["main"]
