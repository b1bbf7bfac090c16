"""A store in memory into which runs land while a fleet looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from conformare.fleet.stores import Changes, Row, RowStore
from conformare_schemas import GRAINS
from support.fleet.history import History
from support.fleet.invented import Emission, all_rows


class GrowingStore(RowStore):
    """Rows in memory, and what has come since they were looked at last.

    As with a lake, what has come is seen once somebody has asked for changes.
    """

    def __init__(self) -> None:
        self.past = History({grain: [] for grain in GRAINS})
        self._to_come: list[Emission] = []
        self._acknowledged = False
        self._read()

    def land(self, emissions: Sequence[Emission]) -> None:
        """Take emissions in."""
        self._to_come += emissions

    def changes(self) -> Changes:
        """See `FleetStore`."""
        rows, tables = all_rows(self._to_come), self.past.tables
        self.past = History({name: tables[name] + rows.get(name, []) for name in tables})
        found = Changes(rows["runs"], acknowledged=self._acknowledged)
        self._to_come, self._acknowledged = [], False
        self._read()
        return found

    def _read(self) -> None:
        self.__dict__.pop("_by_run", None)
        super().__init__("memory", self.past.tables, self._take)

    def _take(self, row: Row) -> None:
        tables = self.past.tables
        acknowledged = [*tables.get("acknowledgements", []), row]
        self.past = History({**tables, "acknowledgements": acknowledged})
        self._acknowledged = True
