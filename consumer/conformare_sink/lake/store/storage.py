"""Where a lake is, and how its store is reached: one place and one set of credentials for all of it.

Tables are deltalake's, small files beside them obstore's. Both are the same library underneath, and
take the same settings: the store's own names, from the environment or from a file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from conformare_sink.errors import LakeRefusedError, StorageError
from conformare_sink.lake.store.faults import explain

_SCHEMES = {
    **dict.fromkeys(("s3", "s3a", "s3n"), ("s3", "AWS_")),
    **dict.fromkeys(("abfs", "abfss", "az", "azure", "adl"), (None, "AZURE_")),
    **dict.fromkeys(("gs",), ("gs", "GOOGLE_")),
}
"""Scheme of a lake → the one that both libraries know, and how its settings' names begin."""

_ALLOW_HTTP = "ALLOW_HTTP"
_ENDPOINTS = ("_ENDPOINT", "_ENDPOINT_URL", "_ENDPOINT_URL_S3", "_BASE_URL")
_YES = ("true", "1", "yes", "on")
_CONNECT_SECONDS = 3
_RETRIES = 3
_RETRY_SECONDS = 10
"""A store that does not answer is told within 15 seconds, whoever asks it."""


@dataclass(frozen=True)
class Storage:
    """The folder of a lake: on this machine's disks or in an object store.

    Args:
        root: The folder as people write it: a path, taken as written, or a URL.
        given: Settings of the store that go before those of the environment.

    Raises:
        LakeRefusedError: Its tables cannot be there.
        StorageError: A setting is not understood.
    """

    root: str
    given: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.root.strip():
            raise LakeRefusedError("the lake has no name: give --lake a folder or a URL")
        scheme = self.scheme
        if scheme == "file":
            self._require_plain(str(self.local))
        elif scheme not in _SCHEMES:
            raise LakeRefusedError(
                f"{self.root} cannot be a lake: {scheme}:// is not supported; give a path, or a URL "
                "that begins with s3://, abfss:// or gs://"
            )
        else:
            self._require_plain(urlsplit(self.root).path)
            self._require_endpoint()

    @property
    def scheme(self) -> str:
        """How its URL begins, in lower case; `file` for this machine's disks."""
        name, separator, _ = self.root.partition("://")
        return name.lower() if separator and name.isascii() and name.isidentifier() else "file"

    @cached_property
    def local(self) -> Path | None:
        """Its path on this machine; None in an object store."""
        if self.scheme != "file":
            return None
        if self.root.lower().startswith("file://"):
            return Path(unquote(urlsplit(self.root).path))
        return Path(os.path.abspath(self.root))  # noqa: PTH100 - links stay as they are written

    @property
    def address(self) -> str:
        """The whole address, the same however it was written."""
        if self.local is not None:
            return f"file:{self.local.resolve()}"
        scheme = _SCHEMES[self.scheme][0] or self.scheme
        return f"{scheme}://{self.root.partition('://')[2].rstrip('/')}"

    def table_uri(self, table: str) -> str:
        """Return where a table is, as deltalake takes it."""
        return f"{self.address if self.local is None else self.local}/{table}"

    @cached_property
    def options(self) -> dict[str, str]:
        """What deltalake is told beside the environment, which it reads itself."""
        if self.local is not None:
            return {}
        return {
            **self.given,
            "connect_timeout": f"{_CONNECT_SECONDS}s",
            "max_retries": str(_RETRIES),
            "retry_timeout": f"{_RETRY_SECONDS}s",
        }

    def _setting(self, ending: str) -> tuple[str, str] | None:
        """Return the setting in force whose name ends so, with its name."""
        beginning = _SCHEMES[self.scheme][1]
        environment = {k: v for k, v in os.environ.items() if k.startswith(beginning)}
        found = {**environment, **self.given}.items()
        return next(((k, v) for k, v in reversed(found) if k.upper().endswith(ending)), None)

    def check(self) -> None:
        """Make sure that the store lets us in.

        Raises:
            StorageError: It does not, or does not answer; the message names the setting.
        """
        self.names()

    def names(self, below: str = "") -> list[str]:
        """Return the names in the folder, or in one below it; none where it does not exist."""
        if self.local is not None:
            try:
                return sorted(found.name for found in (self.local / below).iterdir())
            except FileNotFoundError:
                return []
            except OSError as exc:
                raise self.fault(exc) from exc
        try:
            found = obstore.list_with_delimiter(self._store, below or None)
        except (BaseError, OSError) as exc:
            raise self.fault(exc) from exc
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file in the folder; None where there is none."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as exc:
            raise self.fault(exc) from exc

    def write(self, name: str, content: bytes) -> None:
        """Write a file in the folder, whole or not at all, in place of one of that name."""
        try:
            obstore.put(self._store, name, content)
        except (BaseError, OSError) as exc:
            raise self.fault(exc) from exc

    def create(self, name: str, content: bytes) -> bool:
        """Write a file in the folder where there is none of that name; return whether it did."""
        try:
            obstore.put(self._store, name, content, mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as exc:
            raise self.fault(exc) from exc
        return True

    def remove(self, name: str) -> None:
        """Delete a file in the folder, if it is there."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            pass
        except (BaseError, OSError) as exc:
            raise self.fault(exc) from exc

    def fault(self, error: BaseException) -> StorageError:
        """Return what an error of either library means, in one line."""
        return StorageError(f"{self.root} cannot be used: {self.meaning(error)}")

    def meaning(self, error: BaseException) -> str:
        """Return what an error of either library means, and which setting to change."""
        return explain(str(error), "" if self.local is not None else _SCHEMES[self.scheme][1])

    @cached_property
    def _store(self) -> ObjectStore:
        try:
            if self.local is not None:
                return LocalStore(prefix=self.local, mkdir=True)
            # obstore has this one among the client's options only.
            allow_http = self._setting(_ALLOW_HTTP)
            store: ObjectStore = from_url(
                self.address,
                config={k: v for k, v in self.given.items() if not k.upper().endswith(_ALLOW_HTTP)},  # type: ignore[call-overload]  # its keys are literals there
                client_options={
                    "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
                    "allow_http": allow_http is not None and allow_http[1].lower() in _YES,
                },
                retry_config={
                    "max_retries": _RETRIES,
                    "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
                },
            )
        except (BaseError, OSError, ValueError) as exc:
            raise self.fault(exc) from exc
        return store

    def _require_plain(self, path: str) -> None:
        # deltalake 1.6.6 reads a log at the decoded path, which may be another lake's.
        if unquote(path, errors="surrogateescape") != path or "\\" in path:
            raise LakeRefusedError(
                f"{self.root} cannot be a lake: deltalake, which writes its tables, takes a percent "
                "sign with two digits, or a backslash, for another folder; choose another name"
            )

    def _require_endpoint(self) -> None:
        for ending in _ENDPOINTS:
            found = self._setting(ending)
            if found and urlsplit(found[1]).scheme not in ("http", "https"):
                raise StorageError(f"{found[0]} is no URL: let it begin with https:// or http://")
