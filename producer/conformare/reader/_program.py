"""A program that asks a store one question; `asked` starts it.

deltalake works on threads that a fork does not copy. A process that has used it leaves its forked
children one that panics, also where they use it for purposes of their own. So it is never loaded
into the job: it runs here, in a process that nobody forks.

Standard input has one line, standard output another, both JSON.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Answer the question on standard input."""
    question = json.loads(sys.stdin.readline())
    # Whoever asked may be gone. This ends a store's silence as well, which Python cannot interrupt.
    faulthandler.dump_traceback_later(question["seconds"], exit=True)
    sys.path[:] = question["path"]
    try:
        answer: dict[str, Any] = {"rows": _answer(question["what"], question["about"])}
    except BaseException as exc:  # noqa: BLE001 - a panic of deltalake is no Exception
        # Not what others say: they may quote a location with its credentials.
        answer = {"fault": str(exc) if _has_no_location(exc) else type(exc).__name__}
    print(json.dumps(answer))  # noqa: T201 - the answer


def _answer(what: str, about: dict[str, Any]) -> list[Any]:
    """Return what one of our functions answers.

    `query` is here, for a look-up of a run is not to import the rest of us: that takes longer.
    """
    if what == "query":
        return _query(**about)
    module, _, name = what.partition(":")
    found: list[Any] = getattr(import_module(module), name)(**about)
    return found


def _has_no_location(fault: BaseException) -> bool:
    ours = sys.modules.get("conformare.reader")
    return ours is not None and isinstance(fault, ours.StoreReadError)


def _query(tables: dict[str, str], query: str) -> list[list[Any]]:
    """Return what a query of a lake's tables gives; nothing where one of them is not there."""
    from deltalake import DeltaTable, QueryBuilder
    from deltalake.exceptions import TableNotFoundError

    asked = QueryBuilder()
    try:
        for name, location in tables.items():
            asked.register(name, DeltaTable(location))
    except TableNotFoundError:
        return []
    found = asked.execute(query).read_all()
    columns = [found.column(name).to_pylist() for name in found.schema.names]
    return [list(row) for row in zip(*columns, strict=True)]


if __name__ == "__main__":
    main()
