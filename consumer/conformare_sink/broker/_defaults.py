"""What holds of the embedded broker where nothing is said; free of what starts it."""

from __future__ import annotations

DEFAULT_PORT = 9092
DEFAULT_HEAP = "512m"
