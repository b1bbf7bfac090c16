"""Which release of the package this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "conformare-stream"


@cache
def own_version() -> str:
    """Return the version of this package, "unknown" where it runs uninstalled."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
