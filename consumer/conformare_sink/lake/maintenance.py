"""What keeps a lake small and fast: files put together, what nobody needs any more deleted.

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
from typing import Any, final
from uuid import uuid4

from delta.tables import DeltaTable
from py4j.protocol import Py4JError
from pyspark.errors import IllegalArgumentException, PySparkException

from conformare_sink.errors import RetentionTooShortError, TableWriteError, first_line
from conformare_sink.lake.folder import Folder
from conformare_sink.lake.lake import Lake
from conformare_sink.lake.tables import LAKE_TABLES
from conformare_sink.options import DEFAULT_RETENTION_HOURS
from conformare_sink.stream.resume.checkpoint import SCRATCH

logger = logging.getLogger("conformare_sink")

LEAST_COMMITS = 16
"""A table to which fewer were added since it was last put together is left as it is: all files that
are not full yet are written anew."""

THOROUGH_SECONDS = 24 * 3600.0
"""How often files are looked for that nobody needs: they become so by weeks, and it takes long."""

LEFT_OVER_SECONDS = 24 * 3600
"""A replay's folder in which nothing has changed for so long is of one that was killed."""

STOP_SECONDS = 30.0
"""How long the end of a sink waits for maintenance to break off."""


@dataclass(frozen=True)
class TableReport:
    """What was done to one table."""

    table: str
    compacted: int
    """Files that were put together."""
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
    left_over: int = 0
    """Folders of killed replays that were deleted."""
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
            f"{compacted} file(s) put together into {into}, {deleted} deleted, {log_deleted} of the "
            f"logs deleted, {self.settled} row(s) no longer pending, {self.left_over} folder(s) of "
            f"killed replays deleted, in {self.seconds:.0f} s"
        )


class Maintenance:
    """Maintains a lake.

    Args:
        lake: The lake, open for writing; may be landed in meanwhile.
        retention_hours: How long files stay that the newest version does not need.
    """

    def __init__(self, lake: Lake, retention_hours: int = DEFAULT_RETENTION_HOURS) -> None:
        self._lake = lake
        self._spark = lake.tables.spark
        self._retention_hours = retention_hours
        self._job_group = f"maintenance-{uuid4()}"
        self._put_together: dict[str, int] = {}
        """Version at which each table was last put together."""
        self._thorough_at = -math.inf

    def run_once(self, is_over: Callable[[], bool] = lambda: False) -> MaintenanceReport:
        """Do all there is to do; a fault of one table is reported and keeps no other from it.

        The first time all is done. Later, a table with little that is new is left as it is, and
        files to be deleted are looked for once a day.

        Args:
            is_over: Asked between two tables whether to end.

        Raises:
            RetentionTooShortError: Delta keeps files for longer than the retention.
        """
        began = time.monotonic()
        self._spark.sparkContext.setJobGroup(self._job_group, "maintenance")
        report = MaintenanceReport()
        thorough = began - self._thorough_at >= THOROUGH_SECONDS
        steps = [
            partial(self._settle, report),
            *(partial(self._table, report, name, thorough=thorough) for name in LAKE_TABLES),
            partial(self._sweep, report),
        ]
        for step in steps:
            if is_over():
                break
            try:
                step()
            except (PySparkException, Py4JError, TableWriteError) as exc:
                report.faults.append(first_line(exc))
        if thorough and not report.faults:
            self._thorough_at = began
        report.seconds = time.monotonic() - began
        return report

    def break_off(self) -> None:
        """End what is under way, for good; every statement of it is one commit, or none."""
        context: Any = self._spark.sparkContext
        context._jsc.sc().cancelJobGroupAndFutureJobs(self._job_group)  # noqa: SLF001

    def _settle(self, report: MaintenanceReport) -> None:
        report.settled = self._lake.forget_settled()

    def _table(self, report: MaintenanceReport, name: str, *, thorough: bool) -> None:
        identifier = self._lake.tables.identifier(name)
        log = DeltaTable.forName(self._spark, identifier)._jdt.deltaLog()  # noqa: SLF001
        compacted = into = deleted = log_deleted = 0
        version = self._version(log)
        if version - self._put_together.get(name, -LEAST_COMMITS) >= LEAST_COMMITS:
            metrics = self._spark.sql(f"OPTIMIZE {identifier}").collect()[0]["metrics"]
            compacted, into = metrics["numFilesRemoved"], metrics["numFilesAdded"]
            self._put_together[name] = version
        if thorough:
            data = Folder(self._spark, log.dataPath().toString())
            deleted = _fewer(data, lambda: self._vacuum(name, identifier))
            commits = Folder(self._spark, log.logPath().toString())
            log_deleted = _fewer(commits, lambda: self._clean_log(log))
        report.tables.append(TableReport(name, compacted, into, deleted, log_deleted))

    def _version(self, log: Any) -> int:
        return int(self._snapshot(log).version())

    def _snapshot(self, log: Any) -> Any:
        none = self._spark._jvm.scala.Option.empty()  # type: ignore[union-attr]  # noqa: SLF001
        return log.update(False, none, none)

    def _vacuum(self, name: str, identifier: str) -> None:
        hours = self._retention_hours
        try:
            self._spark.sql(f"VACUUM {identifier} RETAIN {hours} HOURS")
        except IllegalArgumentException as exc:
            raise RetentionTooShortError(name, hours) from exc

    def _clean_log(self, log: Any) -> None:
        """Write a checkpoint and delete what is older than it and than `logRetentionDuration`.

        Kernel, which the sink commits with, writes checkpoints and deletes nothing.
        """
        none = self._spark._jvm.scala.Option.empty()  # type: ignore[union-attr]  # noqa: SLF001
        snapshot = self._snapshot(log)
        if snapshot.checkpointProvider().version() < snapshot.version():
            # Not `checkpoint`, which swallows what goes wrong.
            log.checkpointAndCleanUpDeltaLog(snapshot, none)
        else:
            log.doLogCleanup(snapshot, none)

    def _sweep(self, report: MaintenanceReport) -> None:
        """Delete the folders of replays that were killed."""
        lake = Folder(self._spark, self._lake.tables.root)
        for name in lake.names():
            if name.startswith(SCRATCH) and lake.age_seconds(name) > LEFT_OVER_SECONDS:
                Folder(self._spark, f"{self._lake.tables.root.rstrip('/')}/{name}").delete()
                report.left_over += 1


def _fewer(folder: Folder, delete: Callable[[], None]) -> int:
    """Return how many files of a folder something deletes; others may come meanwhile."""
    before = set(folder.names())
    delete()
    return len(before.difference(folder.names()))


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
        self._maintenance.break_off()
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
