"""Small files below a URL of an object store."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from conformare_schemas.store import NO_STORE
from conformare_sink.lake.layout import NOBODYS_FILES

STORE_FAULTS = (BaseError, OSError)
"""What obstore raises when a store refuses, or does not answer."""


class ObjectFiles:
    """Small files below a URL of an object store.

    Args:
        uri: The URL, encoded.
        settings: Keywords of obstore's `from_url`.
    """

    def __init__(self, uri: str, settings: dict[str, Any]) -> None:
        self._store: ObjectStore = from_url(uri, **settings)

    def check(self) -> None:
        """Make sure that it is an object store, and that it lets us in.

        Raises:
            OSError: It is none. A web server, for instance, may answer whatever is asked.
        """
        self.names("")
        if self.read(f"{NOBODYS_FILES}{uuid4()}") is not None:
            raise OSError(NO_STORE)

    def names(self, below: str) -> list[str]:
        """Return the names in the folder, or in one below it; none where it does not exist."""
        found = obstore.list_with_delimiter(self._store, below or None)
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes | memoryview) -> None:
        """Write a file, whole or not at all, in place of one of that name."""
        obstore.put(self._store, name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file where there is none of that name; return whether it did."""
        try:
            obstore.put(self._store, name, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def changed_at(self, name: str) -> datetime | None:
        """Return when a file was written, by the store's clock; None where there is none."""
        try:
            return obstore.head(self._store, name)["last_modified"]
        except FileNotFoundError:
            return None
