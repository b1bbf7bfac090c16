"""What keeps a lake small and fast: small files compacted, what nobody needs any more deleted.

Nothing here changes what a reader sees, so it runs beside a sink as well as without one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import final

from conformare_sink.errors import StorageError, TableReadError, TableWriteError, first_line
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.tables.tables import LAKE_TABLES
from conformare_sink.options import DEFAULT_RETENTION_HOURS

logger = logging.getLogger("conformare_sink")

THOROUGH_SECONDS = 24 * 3600.0
"""How often files are looked for that nobody needs: they become so by weeks, and it takes long."""

STOP_SECONDS = 30.0
"""How long the end of a sink waits for maintenance to break off."""


@dataclass(frozen=True)
class TableReport:
    """What was done to one table."""

    table: str
    compacted: int
    """Small files that were compacted."""
    compacted_into: int
    """Files that they became."""
    deleted: int
    """Files that no version within the retention needs, deleted."""
    log_deleted: int
    """Files of the table's log that were deleted."""


@dataclass
class MaintenanceReport:
    """What was done to a lake."""

    tables: list[TableReport] = field(default_factory=list)
    settled: int = 0
    """Rows that were deleted from `pending`, for they waited no more."""
    faults: list[str] = field(default_factory=list)
    """What could not be done, and will be tried again the next time."""
    seconds: float = 0.0

    def summary(self) -> str:
        """Return the report as a line for a person."""
        compacted, into, deleted, log_deleted = (
            sum(getattr(table, name) for table in self.tables)
            for name in ("compacted", "compacted_into", "deleted", "log_deleted")
        )
        return (
            f"{compacted} file(s) compacted into {into}, {deleted} deleted, {log_deleted} of the logs "
            f"deleted, {self.settled} row(s) no longer pending, in {self.seconds:.0f} s"
        )


class Maintenance:
    """Maintains a lake.

    Args:
        lake: The lake, open for writing; may be landed in meanwhile.
        retention_hours: How long files stay that the newest version does not need.
    """

    def __init__(self, lake: Lake, retention_hours: int = DEFAULT_RETENTION_HOURS) -> None:
        self._lake = lake
        self._retention_hours = retention_hours
        self._thorough_at = -math.inf

    def run_once(self, is_over: Callable[[], bool] = lambda: False) -> MaintenanceReport:
        """Do all there is to do; a fault of one table is reported and keeps no other from it.

        The first time all is done. Later, files to be deleted are looked for once a day.

        Args:
            is_over: Asked between two tables whether to end.

        Raises:
            RetentionTooShortError: Delta keeps files for longer than the retention.
        """
        began = time.monotonic()
        report = MaintenanceReport()
        thorough = began - self._thorough_at >= THOROUGH_SECONDS
        steps = [
            partial(self._settle, report),
            *(partial(self._table, report, name, thorough=thorough) for name in LAKE_TABLES),
        ]
        for step in steps:
            if is_over():
                break
            try:
                step()
            except (TableReadError, TableWriteError, StorageError) as exc:
                report.faults.append(first_line(exc))
        if thorough and not report.faults:
            self._thorough_at = began
        report.seconds = time.monotonic() - began
        return report

    def _settle(self, report: MaintenanceReport) -> None:
        report.settled = self._lake.forget_settled()

    def _table(self, report: MaintenanceReport, name: str, *, thorough: bool) -> None:
        compacted, into = self._lake.compact(name)
        deleted = log_deleted = 0
        if thorough:
            deleted, log_deleted = self._lake.clean(name, self._retention_hours)
        report.tables.append(TableReport(name, compacted, into, deleted, log_deleted))


@final
class Schedule:
    """Maintains a lake again and again, in a thread of its own, while its block lasts.

    Args:
        maintenance: What is to be done.
        every: How long after the end of one time the next begins.
    """

    def __init__(self, maintenance: Maintenance, every: timedelta) -> None:
        self._maintenance = maintenance
        self._every_seconds = every.total_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def __enter__(self) -> Schedule:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and wait for that as long as it is worth waiting for."""
        self._over.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._over.wait(self._every_seconds):
            done, faults = "", []
            try:
                report = self._maintenance.run_once(self._over.is_set)
                done, faults = report.summary(), report.faults
            except Exception as exc:  # noqa: BLE001 - nothing here may end the sink
                faults = [first_line(exc)]
            if self._over.is_set():
                return  # what broke off is no news
            if done:
                logger.info("maintenance: %s", done)
            for fault in faults:
                logger.warning("maintenance could not do all, and tries again: %s", fault)
