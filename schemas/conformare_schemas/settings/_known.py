"""Every setting that is installed, so that a misspelt key or variable is told.

Whoever defines settings registers them in the group `conformare.settings`: a tuple of models, in a
module that needs nothing but pydantic. A job can read a file that it shares with the sink.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points

from pydantic import BaseModel

from conformare_schemas._naming import CONFIG_VARIABLE, VARIABLES
from conformare_schemas.settings._definition import definitions

SETTINGS_GROUP = "conformare.settings"

_OF_KUBERNETES = "_SERVICE_HOST"
"""Ends a variable that Kubernetes sets for each service, beside others of the same beginning."""


@cache
def known_models() -> tuple[type[BaseModel], ...]:
    """Return every model of settings that is installed, by the name of its group."""
    groups = sorted(entry_points(group=SETTINGS_GROUP), key=lambda entry: entry.name)
    return tuple(model for group in groups for model in group.load())


def unknown_variables() -> Iterator[str]:
    """Yield a line for each variable that is named like a setting and is none: it is ignored."""
    known = {CONFIG_VARIABLE} | {
        one.variable
        for model in known_models()
        for one in definitions(model)
        if one.about.has_variable and not one.about.of_job_only
    }
    services = tuple(
        name.removesuffix("SERVICE_HOST") for name in os.environ if name.endswith(_OF_KUBERNETES)
    )
    for name in sorted(os.environ):
        if name.startswith(VARIABLES) and name not in known and not name.startswith(services):
            yield f"{name} is no setting and changes nothing{meant(name, known)}"


def meant(name: str, known: set[str]) -> str:
    """Return what to do about a name that is not known.

    Args:
        name: The name.
        known: Those that there are.
    """
    alike = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {alike[0]}?" if alike else ": correct the name, or remove it"
