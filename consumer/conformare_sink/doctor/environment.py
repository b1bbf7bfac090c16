"""The settings that the environment has: misspelt ones are ignored, and others cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from conformare_schemas.findings import Asked, Finding
from conformare_schemas.settings import misfitting_variables, unknown_variables

PART = "environment"


def look(_: Asked) -> Iterator[Finding]:
    """Look at the variables that are named like settings."""
    unknown, misfitting = [*unknown_variables()], [*misfitting_variables()]
    for line in misfitting:
        yield Finding.mend(PART, f"{line}: correct it, or remove it")
    for line in unknown:
        yield Finding.advice(PART, line)
    if not (unknown or misfitting):
        yield Finding.good(PART, "every variable CONFORMARE_… is a setting, and can be used")
