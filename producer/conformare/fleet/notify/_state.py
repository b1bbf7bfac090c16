"""What was reported: a file that only one report at a time may change."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from conformare._errors import ConformareError, SpoolError
from conformare.emission.spool import HAS_LOCKS, FileLock
from conformare.fleet.notify._changes import Change, Reported

VERSION = 1


class StateError(ConformareError):
    """The state cannot be used."""

    exit_code = 2


class StateFile:
    """The findings that were reported and are not resolved since.

    Args:
        path: The file; it need not exist.
        scope: What the reports are about. A state of another scope is refused: by it, all that
            lies outside would count as resolved.
    """

    def __init__(self, path: Path, scope: Mapping[str, Any]) -> None:
        self._path = path
        self._scope = json.loads(json.dumps(scope))
        self.reported: dict[str, Reported] = {}
        self.reports = 0

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the file, and read it.

        Yields:
            False where another process holds it: it is about to report.

        Raises:
            StateError: It is damaged, of another scope, or its folder cannot be written.
        """
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock.take(folder / f"{self._path.name}.lock") if HAS_LOCKS else None
        except OSError as exc:
            raise StateError(f"{folder} cannot be written: {exc.strerror}") from exc
        except SpoolError as exc:
            raise StateError(str(exc)) from exc
        if lock is None and HAS_LOCKS:
            yield False
            return
        try:
            self._read()
            yield True
        finally:
            if lock is not None:
                lock.forget()

    @contextmanager
    def advanced(self, told: list[Change]) -> Iterator[None]:
        """Take note of changes that the block reports, unless it raises.

        What is to be kept is on the disk before the block: a full disk is told before anybody is.

        Raises:
            StateError: It cannot be written.
        """
        kept = dict(self.reported)
        for change in told:
            if change.what == "new":
                kept[change.finding.identity] = change.finding
            else:
                kept.pop(change.finding.identity, None)
        content = {
            "version": VERSION,
            "scope": self._scope,
            "reports": self.reports + 1,
            "reported": [asdict(one) for one in kept.values()],
        }
        try:
            with NamedTemporaryFile(
                "w", dir=self._path.parent, prefix=".", suffix=".part", delete=False
            ) as part:
                json.dump(content, part, indent=1)
                part.flush()
                os.fsync(part.fileno())
        except OSError as exc:
            raise StateError(f"{self._path} cannot be written: {exc.strerror}") from exc
        try:
            yield
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
        try:
            Path(part.name).replace(self._path)
        except OSError as exc:
            raise StateError(
                f"{self._path} cannot be written ({exc.strerror}): what was reported will be "
                "reported again"
            ) from exc
        self.reported, self.reports = kept, self.reports + 1

    def _read(self) -> None:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except OSError as exc:
            raise StateError(f"{self._path} cannot be read: {exc.strerror}") from exc
        except (ValueError, RecursionError) as exc:
            raise self._damaged() from exc
        try:
            version, scope = content["version"], content["scope"]
            reported = [Reported.read(row) for row in content["reported"]]
            reports = int(content["reports"])
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise self._damaged() from exc
        if version != VERSION:
            raise StateError(
                f"{self._path} is from another release of conformare: give another --state"
            )
        if scope != self._scope:
            raise StateError(
                f"{self._path} belongs to another store or to other filters: give each report its own "
                "--state"
            )
        self.reported = {one.identity: one for one in reported}
        self.reports = reports

    def _damaged(self) -> StateError:
        return StateError(
            f"{self._path} is damaged: remove it, and the next report tells all that is there"
        )
