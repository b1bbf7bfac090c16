"""What stands in the place of what is hidden."""

from __future__ import annotations

HIDDEN = "***"
