"""A store in memory into which runs land while a fleet looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from conformare.fleet.stores import Changes, Row, RowStore
from conformare_schemas import GRAINS
from support.fleet.history import History
from support.fleet.invented import Emission, all_rows


class GrowingStore(RowStore):
    """Rows in memory, and what has come since they were looked at last."""

    def __init__(self) -> None:
        self.history = History({grain: [] for grain in GRAINS})
        self._new: list[Row] = []
        self._acknowledged = False
        self._read()

    def land(self, emissions: Sequence[Emission]) -> None:
        """Take emissions in."""
        rows = all_rows(emissions)
        tables = self.history.tables
        self.history = History({name: tables[name] + rows.get(name, []) for name in tables})
        self._new += rows["runs"]
        self._read()

    def changes(self) -> Changes:
        """See `FleetStore`."""
        found = Changes(self._new, acknowledged=self._acknowledged)
        self._new, self._acknowledged = [], False
        return found

    def _read(self) -> None:
        self.__dict__.pop("_by_run", None)
        super().__init__("memory", self.history.tables, self._take)

    def _take(self, row: Row) -> None:
        tables = self.history.tables
        acknowledged = [*tables.get("acknowledgements", []), row]
        self.history = History({**tables, "acknowledgements": acknowledged})
        self._acknowledged = True
