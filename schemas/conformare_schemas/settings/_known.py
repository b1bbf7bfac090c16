"""Every setting that is installed, so that a misspelt key of a file is told.

Whoever defines settings registers them in the group `conformare.settings`: a tuple of models, in a
module that needs nothing but pydantic. A job can read a file that it shares with the sink.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from pydantic import BaseModel

SETTINGS_GROUP = "conformare.settings"


@cache
def known_models() -> tuple[type[BaseModel], ...]:
    """Return every model of settings that is installed, by the name of its group."""
    groups = sorted(entry_points(group=SETTINGS_GROUP), key=lambda entry: entry.name)
    return tuple(model for group in groups for model in group.load())
