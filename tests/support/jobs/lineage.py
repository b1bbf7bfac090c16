"""What was captured, in a form that a test can state."""

from __future__ import annotations

from conformare.capture import lineage, store


def flow() -> list[tuple[str, tuple[str, ...], str]]:
    """Return each event as operation, labels of its parents, label of its child."""
    return [
        (event.op, tuple(map(store.label, event.parents)), store.label(event.child))
        for event in lineage()
    ]
