"""The commands that are registered, and what has to be installed for one of them.

Whoever owns a command registers it in the group `conformare.commands`: none is named here.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from conformare._version import DISTRIBUTION

COMMAND_GROUP = "conformare.commands"
DEFAULT_EXTRA = "sink"


def registered_commands() -> dict[str, EntryPoint]:
    """Return every command by its name, not imported."""
    return {entry.name: entry for entry in entry_points(group=COMMAND_GROUP)}


def asked_command(arguments: list[str]) -> str | None:
    """Return the command that is asked for, None for the program's own help."""
    # The root's own options take no value, so the first word that is no option is the command.
    return next((word for word in arguments if not word.startswith("-")), None)


def install_hint(arguments: list[str]) -> str:
    """Return how to install what a command needs: its entry point names the extra."""
    entry = registered_commands().get(asked_command(arguments) or "")
    extras = ",".join(entry.extras) if entry else ""
    return f'pip install "{DISTRIBUTION}[{extras or DEFAULT_EXTRA}]"'
