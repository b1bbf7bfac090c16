"""What a statement does in a session of Connect, which hands out no plan: from its own text."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from conformare.capture.sql._catalogs import Names, columns_of
from conformare.capture.sql._dialect import is_installed
from conformare.capture.sql._names import files, view_key
from conformare.capture.sql._printed import printed_statement
from conformare.capture.sql._statement import Statement, Target
from conformare.capture.sql._written import Args, Written, WrittenTarget, written

logger = logging.getLogger("conformare")


def stated(
    session: Any,
    text: str,
    args: Args,
    values: Mapping[str, Any],
    views: Mapping[str, int],
) -> Statement | None:
    """Return what a statement does, None for one that nobody understands.

    Args:
        session: The session that has run it.
        text: The statement.
        args: What its parameters stand for.
        values: What is put into its braces.
        views: Views that stand for frames, by their keys, with their nodes.
    """
    known = {**args, **values} if isinstance(args, Mapping) else values or args
    said = written(text, known) if can_parse() else None
    if said is None:
        said = printed_statement(session, text, args, values)
    return None if said is None else _Stated(session, views).statement(said)


@lru_cache(maxsize=1)
def can_parse() -> bool:
    """Whether the parser is there; if it is not, that is logged once."""
    if is_installed():
        return True
    logger.warning(
        "SQL in a session of Spark Connect is read from printed plans, which lack some tables: "
        "install conformare-stream[connect] to have it parsed (logged once)"
    )
    return False


class _Stated:
    """Gives the names in a statement the meaning that they have in its session."""

    def __init__(self, session: Any, views: Mapping[str, int]) -> None:
        self._session = session
        self._views = views
        self._names = Names(session)

    def statement(self, said: Written) -> Statement:
        """Return a statement with its names resolved."""
        statement = Statement(is_query=said.is_query)
        for parts in said.reads:
            self._names.add_read(statement, parts, self._views)
        statement.targets = [self._target(target) for target in said.targets if target.parts]
        if said.made:
            statement.made = self._key(said.made, is_temporary=said.is_temporary)
        if said.dropped:
            is_temporary = said.is_temporary or view_key(said.dropped) in self._views
            statement.dropped = self._key(said.dropped, is_temporary=is_temporary)
        return statement

    def _key(self, parts: tuple[str, ...], *, is_temporary: bool) -> str:
        return view_key(parts if is_temporary else self._names.full(parts))

    def _target(self, target: WrittenTarget) -> Target:
        if target.is_folder:
            place = files(target.parts[0], target.format or "hive")
        else:
            place = self._names.read(target.parts).place
        return Target(
            place,
            target.operation,
            lambda: target.format or place.format,
            lambda: columns_of(self._session, target.query) if target.query else (),
        )
