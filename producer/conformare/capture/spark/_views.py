"""Recording of temporary views: names under which frames are read again."""

from __future__ import annotations

from conformare.capture._store import store
from conformare.capture.spark._steps import Call
from conformare.capture.sql._names import GLOBAL_VIEWS, parts_of, view_key


def record_view(call: Call) -> None:
    """Take note of what a view stands for."""
    key = _key(call, "name")
    store.name_view(key, store.node_for(call.owner, call.authored.receiver))


def record_dropped_view(call: Call) -> None:
    """Forget a view that is gone."""
    store.name_view(_key(call, "viewName"), None)


def _key(call: Call, argument: str) -> str:
    parts = parts_of(str(call.argument(0, argument)))
    is_global = "Global" in call.tracked.method and parts[:1] != (GLOBAL_VIEWS,)
    return view_key((GLOBAL_VIEWS, *parts) if is_global else parts)
