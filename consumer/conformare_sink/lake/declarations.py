"""What was declared of locations comes into a lake once, whoever sends it again.

A declaration is whole by itself, and all its rows come by one commit: it is there or it is not. So it
needs no note, and nobody has to take it back. Which ones are there is asked of the table before any
is appended, unless nobody else has changed it since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from conformare_schemas import EMISSION_COLUMN, SOURCE_RISKS
from conformare_sink.lake.digests import EMISSION_DIGEST, DigestSet, emission_digest, read_digests
from conformare_sink.lake.tables.tables import LakeTables, Table
from conformare_sink.messages.emission import Decision

IsPurged = Callable[[Collection[str]], Collection[str]]
"""Returns which of some declarations were deleted on purpose, by their emission_ids."""


class Declarations:
    """The declarations of a lake that is open for writing.

    Args:
        tables: The lake's tables.
        opened: The table of declarations, open for writing.
        purged: Tells which were deleted on purpose.
    """

    def __init__(self, tables: LakeTables, opened: Table, purged: IsPurged) -> None:
        self._tables = tables
        self._open = opened
        self._purged = purged
        self._there: DigestSet | None = None
        self._is_committing = False

    def append(self, rows: pa.Table) -> dict[str, Decision]:
        """Append the declarations that are not there; return what became of each.

        Args:
            rows: All rows of some declarations.

        Raises:
            TableWriteError: They could not be written.
            LakeBusyError: Another writer has taken the lake over.
        """
        there = self._look()
        decided = decide_declarations(rows, there, self._purged)
        new = [one for one, decision in decided.items() if decision is Decision.LAND]
        if new:
            self._is_committing = True
            self._open.append(rows.filter(pc.is_in(rows.column(EMISSION_COLUMN), pa.array(new))))
            there.add([*map(emission_digest, new)])
            self._is_committing = False
        return decided

    def look_again(self) -> None:
        """Take note that this writer has deleted some."""
        self._there = None

    def _look(self) -> DigestSet:
        if self._is_committing:
            # An append seemed to fail; its request may still be on its way.
            self._open.fence()
            self._there = None
        if self._open.changed_by_others() or self._there is None:
            self._there = read_digests(self._tables, SOURCE_RISKS, EMISSION_DIGEST)
        self._is_committing = False
        return self._there


def decide_declarations(rows: pa.Table, there: DigestSet, purged: IsPurged) -> dict[str, Decision]:
    """Return what becomes of declarations, by their emission_ids.

    Args:
        rows: All rows of some declarations.
        there: Those that the lake holds already.
        purged: Tells which were deleted on purpose.
    """
    found = rows.column(EMISSION_COLUMN).unique().to_pylist()
    known = there.contain([*map(emission_digest, found)])
    decided = {
        one: Decision.REPEAT if is_there else Decision.LAND
        for one, is_there in zip(found, known, strict=True)
    }
    return decided | dict.fromkeys(purged(found), Decision.PURGED)
