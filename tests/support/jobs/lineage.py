"""What was captured, in a form that a test can state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformare.capture import lineage, store

Grain = Callable[[str], list[dict[str, Any]]]
"""Returns the rows of a grain as they would be recorded now."""

Places = list[tuple[str, str]]
"""Location and format of each."""

Recorded = Callable[[], tuple[Places, Places]]
"""Returns the sources, and the sinks, as they would be recorded now."""


def flow() -> list[tuple[str, tuple[str, ...], str]]:
    """Return each event as operation, labels of its parents, label of its child."""
    return [
        (event.op, tuple(map(store.label, event.parents)), store.label(event.child))
        for event in lineage()
    ]
