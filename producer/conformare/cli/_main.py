"""The `conformare` program: runs a command and tells an error in one line.

An error is told without a traceback if it carries an `exit_code`: those of the command line itself
do (2, wrong use), and those of a command may (1, a failure). Anything else is a fault of ours and
keeps its traceback.
"""

from __future__ import annotations

import os
import sys

from conformare.cli._entry_points import install_hint
from conformare_schemas.printable import printable

_FAILURE = 1
_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: What follows the program's name; None for those of this process.
    """
    arguments = _words_so_far() or sys.argv[1:] if arguments is None else arguments
    try:
        # A job has this program too, but not what the command line is made of.
        import typer

        from conformare.cli._commands import application
    except ModuleNotFoundError as exc:
        return _tell(f"`conformare` needs {exc.name}: {install_hint(arguments)}", _FAILURE)
    try:
        result = application(arguments)(
            args=arguments, prog_name="conformare", standalone_mode=False
        )
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except Exception as exc:
        # By attribute: the command line's own errors have another class in each generation of
        # typer, and those of the sink are not to be imported here.
        exit_code: int | None = getattr(exc, "exit_code", None)
        if exit_code is None:
            raise
        message: str = exc.format_message() if hasattr(exc, "format_message") else str(exc)
        return _tell(message, exit_code)
    return result if isinstance(result, int) else 0


def _words_so_far() -> list[str]:
    """Return what a shell has of the command line that it completes: one command is imported then."""
    words = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return words.split()[1:] if "_CONFORMARE_COMPLETE" in os.environ else []


def _tell(message: str, exit_code: int) -> int:
    one_line = printable(" ".join(message.split()))
    if one_line:  # a group without a command has printed its help instead
        print(f"error: {one_line}", file=sys.stderr)  # noqa: T201 - a command line
    return exit_code
