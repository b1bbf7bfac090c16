"""Where the spool is when nobody says it: the folder for a program's state on this platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_spool_folder() -> Path:
    """Return the user's folder for the spool, whether it exists or not.

    `$XDG_STATE_HOME/conformare/spool`, by default below `~/.local/state` (XDG Base Directory
    Specification); on macOS and Windows what these name for it.

    Raises:
        RuntimeError: The user has no home.
    """
    if sys.platform == "darwin":
        state = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        state = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        named = os.environ.get("XDG_STATE_HOME", "")
        # The specification says that a relative path is to be ignored.
        state = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return state / "conformare" / "spool"
