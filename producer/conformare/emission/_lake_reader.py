"""A program that asks the tables of a lake one question; `_look_up.py` starts it.

deltalake works on threads that a fork does not copy. A process that has used it leaves its forked
children one that panics, also where they use it for purposes of their own. So it is never loaded
into the job: it runs here, in a process that nobody forks.

Standard input has one line, standard output another, both JSON.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from typing import Any


def main() -> None:
    """Answer the question on standard input."""
    question = json.loads(sys.stdin.readline())
    # Whoever asked may be gone. This ends a store's silence as well, which Python cannot interrupt.
    faulthandler.dump_traceback_later(question["seconds"], exit=True)
    sys.path[:] = question["path"]
    try:
        answer: dict[str, Any] = {"rows": _rows(question["tables"], question["query"])}
    except BaseException as exc:  # noqa: BLE001 - a panic of deltalake is no Exception
        # Not what it says: it may quote a location with its credentials.
        answer = {"fault": type(exc).__name__}
    print(json.dumps(answer))  # noqa: T201 - the answer


def _rows(tables: dict[str, str], query: str) -> list[list[Any]]:
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
