"""The folder of a lake, and the small files in it: on this machine's disks or in an object store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

from conformare_schemas.store import (
    Address,
    AddressError,
    StoreError,
    StoreSettings,
    explain,
    parse_address,
)
from conformare_sink.errors import LakeRefusedError, StorageError
from conformare_sink.lake.store.local_files import LocalFiles
from conformare_sink.lake.store.object_files import STORE_FAULTS, ObjectFiles

_Result = TypeVar("_Result")

CHECK_SECONDS = 10
"""How long a store may take to let us in; for a file, later, it may take longer."""


class Files(Protocol):
    """Small files in a folder; what is wrong raises an error of the library that found it."""

    def names(self, below: str) -> list[str]:
        """Return the names in the folder, or in one below it; none where it does not exist."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write a file, whole or not at all, in place of one of that name."""

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none of that name; return whether it did."""

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""

    def changed_at(self, name: str) -> datetime | None:
        """Return when a file was written, by the store's clock; None where there is none."""


@dataclass(frozen=True)
class Storage:
    """The folder of a lake.

    Args:
        root: The folder as people write it: a path, taken as it is written, or a URL.
        given: Settings of its store that go before those of the environment.

    Raises:
        LakeRefusedError: No lake can be there.
        StorageError: A setting cannot be right.
    """

    root: str
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._place  # noqa: B018 - what is wrong is told at once
        self._settings  # noqa: B018 - as above

    @property
    def local(self) -> Path | None:
        """Its path on this machine; None in an object store."""
        return self._place.local

    @property
    def address(self) -> str:
        """The whole address, the same however it was written."""
        return str(self._place)

    @property
    def portable_root(self) -> str:
        """The folder as a process with another working directory has to write it."""
        return self.root if self.local is None else str(self.local.resolve())

    @property
    def environment(self) -> dict[str, str]:
        """Settings of its store that are in the environment, for a process on another machine."""
        return {} if self._settings is None else self._settings.environment

    def location(self, table: str) -> str:
        """Return where a table is, for a person."""
        return f"{self.root.rstrip('/')}/{table}"

    def table_uri(self, table: str) -> str:
        """Return where a table is, as deltalake takes it."""
        return self._place.uri(table)

    @cached_property
    def options(self) -> dict[str, str]:
        """What deltalake is told of the store, beside the environment."""
        return {} if self._settings is None else self._settings.for_deltalake()

    def check(self, seconds: float = CHECK_SECONDS) -> None:
        """Make sure that the store lets us in.

        Args:
            seconds: How long it may take for each answer.

        Raises:
            StorageError: It does not, or does not answer; the message names the setting.
        """
        if self._settings is None:
            self.names()
            return
        settings = self._settings.for_obstore(timeout_seconds=seconds)
        self._told(lambda: ObjectFiles(self._place.uri(), settings).check())

    def names(self, below: str = "") -> list[str]:
        """Return the names in the folder, or in one below it; none where it does not exist."""
        return self._told(lambda: self._files.names(below))

    def read(self, name: str) -> bytes | None:
        """Return the content of a file in the folder; None where there is none."""
        return self._told(lambda: self._files.read(name))

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write a file in the folder, whole or not at all, in place of one of that name."""
        self._told(lambda: self._files.write(name, content))

    def create(self, name: str, content: bytes) -> bool:
        """Write a file in the folder where there is none of that name; return whether it did."""
        return self._told(lambda: self._files.create(name, content))

    def remove(self, name: str) -> None:
        """Delete a file in the folder, if it is there."""
        self._told(lambda: self._files.remove(name))

    def changed_at(self, name: str) -> datetime | None:
        """Return when a file in the folder was written, by the store's clock; None for none."""
        return self._told(lambda: self._files.changed_at(name))

    def fault(self, error: BaseException) -> StorageError:
        """Return what an error of either library means, in one line."""
        return StorageError(f"{self.root} cannot be used: {self.meaning(error)}")

    def meaning(self, error: BaseException) -> str:
        """Return what an error of either library means, and which setting to change."""
        told = explain(error, self._place.prefix, writes=True)
        return told if self._settings is None else self._settings.hide(told)

    @cached_property
    def _place(self) -> Address:
        try:
            return parse_address(self.root)
        except AddressError as exc:
            raise LakeRefusedError(str(exc)) from exc

    @cached_property
    def _settings(self) -> StoreSettings | None:
        if self.local is not None:
            return None
        try:
            return StoreSettings(self._place.prefix, self.given)
        except StoreError as exc:
            raise StorageError(str(exc)) from exc

    @cached_property
    def _files(self) -> Files:
        if self._place.local is not None:
            return LocalFiles(self._place.local)
        settings = {} if self._settings is None else self._settings.for_obstore()
        return ObjectFiles(self._place.uri(), settings)

    def _told(self, do: Callable[[], _Result]) -> _Result:
        """Do something with the store; raises StorageError where it refuses."""
        try:
            return do()
        except STORE_FAULTS as exc:
            raise self.fault(exc) from exc
