"""What holds of the page where nothing is said; free of what serves it."""

from __future__ import annotations

DEFAULT_TITLE = "Fleet report"
DEFAULT_PORT = 8765
