"""Recording of temporary views: names under which frames are read again."""

from __future__ import annotations

from conformare.capture._store import store
from conformare.capture.spark._steps import Call

GLOBAL = "global_temp"


def record_view(call: Call) -> None:
    """Take note of what a view stands for."""
    name = str(call.argument(0, "name")).replace("`", "")
    if "Global" in call.tracked.method:
        name = f"{GLOBAL}.{name}"
    store.name_view(name, store.node_for(call.owner, call.authored.receiver))


def record_dropped_view(call: Call) -> None:
    """Forget a view that is gone."""
    name = str(call.argument(0, "viewName"))
    store.name_view(f"{GLOBAL}.{name}" if "Global" in call.tracked.method else name, None)
