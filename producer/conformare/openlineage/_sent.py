"""Which runs were sent: a file that only one export at a time may hold."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from conformare._errors import ConformareError

VERSION = 1


class CursorError(ConformareError):
    """The file of what was sent cannot be used."""

    exit_code = 2


class Sent:
    """The runs that were sent. A run that lands late is told by it too, whatever its `ts`.

    Use `sent_runs`, which opens the file and holds it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def among(self, runs: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Return those of some runs that were sent.

        Raises:
            CursorError: The file cannot be read.
        """
        asked = ", ".join("?" * len(runs))
        query = f"SELECT run FROM sent WHERE run IN ({asked})"  # noqa: S608 - question marks
        with _told(self._path):
            found = self._connection.execute(query, [run.bytes for run in runs])
            return {uuid.UUID(bytes=run) for (run,) in found}

    def add(self, runs: Iterable[uuid.UUID]) -> None:
        """Take note that runs were sent; afterwards that is on the disk.

        Raises:
            CursorError: It cannot be written.
        """
        with _told(self._path), self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO sent VALUES (?)", [(run.bytes,) for run in runs]
            )


@contextmanager
def sent_runs(path: Path, scope: Mapping[str, Any]) -> Iterator[Sent]:
    """Open the file of what was sent, and hold it.

    Args:
        path: The file; it need not exist.
        scope: From where to where the runs are sent. A file of another scope is refused.

    Raises:
        CursorError: Another export holds it, it is damaged or of another scope, or it cannot be
            written.
    """
    # A digest: where to is a secret.
    digest = hashlib.sha256(json.dumps(scope, sort_keys=True).encode()).hexdigest()
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=0)
    with closing(connection):
        with _told(path), connection:
            # Until it is closed, whichever transactions come in between.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.execute("CREATE TABLE scope (digest TEXT NOT NULL)")
                connection.execute("INSERT INTO scope VALUES (?)", (digest,))
                connection.execute("CREATE TABLE sent (run BLOB PRIMARY KEY) WITHOUT ROWID")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise CursorError(
                    f"{path} is from another release of conformare: give another --state"
                )
            elif connection.execute("SELECT digest FROM scope").fetchall() != [(digest,)]:
                raise CursorError(
                    f"{path} belongs to another lake or receiver: give each export its own --state"
                )
        yield Sent(connection, path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise what sqlite and the disk raise as an error of ours."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        if "locked" in str(exc):
            raise CursorError(
                f"{path} is held by another export, which sends the same runs: wait for it"
            ) from exc
        raise CursorError(f"{path} cannot be used: {exc}") from exc
    except sqlite3.DatabaseError as exc:
        raise CursorError(
            f"{path} is damaged: remove it, and the next export sends every run again, which does "
            "no harm"
        ) from exc
    except OSError as exc:
        raise CursorError(f"{path} cannot be used: {exc.strerror}") from exc
