"""A program that asks a store one question; `_reader.py` starts it.

deltalake works on threads that a fork does not copy. A process that has used it leaves its forked
children one that panics, also where they use it for purposes of their own. So it is never loaded
into the job: it runs here, in a process that nobody forks.

Standard input has one line, standard output another, both JSON.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from collections.abc import Callable
from typing import Any


class _ToldError(Exception):
    """What it says has no location in it."""


def main() -> None:
    """Answer the question on standard input."""
    question = json.loads(sys.stdin.readline())
    # Whoever asked may be gone. This ends a store's silence as well, which Python cannot interrupt.
    faulthandler.dump_traceback_later(question["seconds"], exit=True)
    sys.path[:] = question["path"]
    try:
        answer: dict[str, Any] = {"rows": _QUESTIONS[question["what"]](**question["about"])}
    except BaseException as exc:  # noqa: BLE001 - a panic of deltalake is no Exception
        # Not what others say: they may quote a location with its credentials.
        answer = {"fault": str(exc) if isinstance(exc, _ToldError) else type(exc).__name__}
    print(json.dumps(answer))  # noqa: T201 - the answer


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


def _upstream_risks(
    place: str, table_prefix: str, locations: list[str] | None
) -> list[dict[str, Any]]:
    """Return the risks that locations carry, as `conformare.fleet.upstream_risks` does."""
    from conformare._errors import FleetError
    from conformare.fleet import Tables, open_store, upstream_risks

    try:
        return upstream_risks(Tables(open_store(place, table_prefix=table_prefix)), locations)
    except FleetError as exc:
        raise _ToldError(str(exc).replace(place, "the store")) from exc


_QUESTIONS: dict[str, Callable[..., list[Any]]] = {
    "query": _query,
    "upstream_risks": _upstream_risks,
}

if __name__ == "__main__":
    main()
