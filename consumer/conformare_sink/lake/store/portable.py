"""The folder of a lake as it is sent to a process on another machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformare_sink.lake.store.storage import Storage


@dataclass(frozen=True)
class PortableStorage:
    """What opens the folder there; made by `portable`."""

    root: str
    given: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    """Settings of its store that were in the environment of the process that sent it."""

    def open(self) -> Storage:
        """Return the folder, for this process.

        Raises:
            LakeRefusedError: No lake can be there.
            StorageError: A setting cannot be right.
        """
        os.environ.update(self.environment)
        return Storage(self.root, self.given)


def portable(storage: Storage) -> PortableStorage:
    """Return the folder of a lake as it is sent."""
    return PortableStorage(storage.portable_root, storage.given, storage.environment)
