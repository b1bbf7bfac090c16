"""A lake as everybody else sees it: by delta-rs, on a disk or in an object store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import obstore
from deltalake import DeltaTable
from obstore.store import S3Store


@dataclass(frozen=True)
class LakeView:
    """Where a lake is, and how it is reached.

    Args:
        root: Its folder, or its URL in an object store.
        storage_options: What the store must be told.
    """

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> DeltaTable:
        """Return a table as it is now; raises TableNotFoundError where it is not."""
        return DeltaTable(f"{self.root}/{name}", storage_options=dict(self.storage_options) or None)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table, in no order."""
        rows: list[dict[str, Any]] = self.table(name).to_pyarrow_table().to_pylist()
        return rows

    def version(self, name: str, known: int = -1) -> int:
        """Return the last commit of a table, -1 where it is not there.

        Args:
            name: The table.
            known: A commit that it has.
        """
        while self.read(commit_file(name, known + 1)) is not None:
            known += 1
        return known

    def read(self, path: str) -> bytes | None:
        """Return the content of a file of the lake; None where there is none."""
        try:
            if self._bucket is None:
                return Path(self.root, path).read_bytes()
            return bytes(obstore.get(self._bucket, path).bytes())
        except FileNotFoundError:
            return None

    @cached_property
    def _bucket(self) -> S3Store | None:
        if not self.root.startswith("s3://"):
            return None
        bucket, _, prefix = self.root.removeprefix("s3://").partition("/")
        # Its types know the names in lower case only.
        return S3Store(bucket, prefix=prefix, config=dict(self.storage_options))  # type: ignore[arg-type]


def commit_file(table: str, version: int) -> str:
    """Return where a commit of a table is, in the lake."""
    return f"{table}/_delta_log/{version:020d}.json"


def viewed(lake: str | Path | LakeView) -> LakeView:
    """Return a lake as it is seen, that of a folder too."""
    return lake if isinstance(lake, LakeView) else LakeView(str(lake))
