"""What application transactions say in the log of a table: Delta's protocol, "Transaction Identifiers"."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from deltalake import DeltaTable

LOOK_BACK = 10
"""Commits that are looked at first: nearly always, the newest says all.

deltalake reads every commit since the last checkpoint, for each application anew.
"""
_AT_ONCE = 8


def newest_transactions(
    table: DeltaTable, content: Callable[[int], bytes | None], apps: Iterable[str]
) -> dict[str, int]:
    """Return the newest version of some applications, of those that have committed any.

    Args:
        table: The table, loaded.
        content: Returns the file of a commit; None where it is no more.
        apps: The applications.
    """
    missing = set(apps)
    found: dict[str, int] = {}
    for version in range(table.version(), table.version() - LOOK_BACK, -1):
        if not missing or version < 0:
            return found
        commit = content(version)
        if commit is None:
            break  # it was cleaned away; a checkpoint has it
        for app, number in _transactions(commit):
            if app in missing:
                missing.discard(app)
                found[app] = number
    if missing:
        ordered = sorted(missing)
        with ThreadPoolExecutor(min(_AT_ONCE, len(ordered)), "transactions") as pool:
            numbers = pool.map(table.transaction_version, ordered)
            found.update({a: n for a, n in zip(ordered, numbers, strict=True) if n is not None})
    return found


def _transactions(commit: bytes) -> list[tuple[str, int]]:
    """Return the transactions of a commit, whose file has a line for each of its actions."""
    lines = (line for line in commit.splitlines() if line.startswith(b'{"txn"'))
    told = (json.loads(line)["txn"] for line in lines)
    return [(one["appId"], one["version"]) for one in told]
