"""The formats in which the gate tells what it found."""

from conformare.cli.fleet.formats._github import as_github
from conformare.cli.fleet.formats._junit import as_junit
from conformare.cli.fleet.formats._text import as_text
from conformare.cli.fleet.formats._verdict import Verdict

__all__ = ["Verdict", "as_github", "as_junit", "as_text"]
