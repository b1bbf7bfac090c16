"""Where a lake is: a path of this machine, taken as it is written, or the URL of an object store."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from conformare_schemas.store._errors import AddressError

_STORES = {
    **dict.fromkeys(("s3", "s3a", "s3n"), ("s3", "AWS_")),
    **dict.fromkeys(("abfs", "abfss", "az", "azure", "adl"), (None, "AZURE_")),
    "gs": ("gs", "GOOGLE_"),
}
"""Scheme of a lake → the one that both libraries know, and how its settings' names begin."""

_BARRED = "\\[]^|"
"""deltalake 1.6.6 panics where a path of this machine has one of them, or takes it for a slash."""

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):(//)?", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where a lake is; made by `parse_address`."""

    local: Path | None = None
    """Its path on this machine; None in an object store."""
    url: str = ""
    """Its URL in an object store, the same however it was written, nothing in it encoded."""
    prefix: str = ""
    """How the names of its store's settings begin; empty on this machine's disks."""

    def __str__(self) -> str:
        """Return the whole address, the same however it was written."""
        return self.url if self.local is None else f"file:{self.local.resolve()}"

    def uri(self, name: str = "") -> str:
        """Return where something in the lake is, as deltalake and obstore take it."""
        below = f"/{name}" if name else ""
        if self.local is not None:
            return f"{self.local}{below}"
        store, separator, path = self.url.partition("://")
        bucket, slash, path = path.partition("/")
        return f"{store}{separator}{bucket}{slash}{quote(path)}{below}"


def parse_address(root: str) -> Address:
    """Return where a lake is.

    Args:
        root: The lake's folder as people write it.

    Raises:
        AddressError: No lake can be there.
    """
    if not root.strip():
        raise AddressError("the lake has no name: give --lake a folder or a URL")
    found = _SCHEME.match(root)
    scheme = found[1].lower() if found else "file"
    if found and scheme in _STORES:
        return _in_store(root, scheme)
    if found and scheme == "file":
        return _on_this_machine(root, _path_of(root))
    if found and found[2]:
        raise AddressError(
            f"{root} cannot be a lake: {scheme}:// is not supported; give a path, or a URL that "
            "begins with s3://, abfss:// or gs://"
        )
    return _on_this_machine(root, Path(root))


def _on_this_machine(root: str, path: Path) -> Address:
    _require_plain(root, str(path), _BARRED)
    try:
        # What two dots mean, the disk knows: the folder before them may be a link.
        local = path.resolve() if ".." in path.parts else path.absolute()
        _require_plain(root, str(local.resolve()), _BARRED)
    except (OSError, RuntimeError) as exc:
        raise AddressError(f"{root} cannot be a lake: {exc}") from exc
    return Address(local)


def _path_of(root: str) -> Path:
    parts = urlsplit(root)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise AddressError(f"{root} is not a local path: write file:///folder/lake")
    if parts.query or parts.fragment:
        raise AddressError(f"{root} is not a path: write %3F for ? and %23 for #, or give a path")
    return Path(unquote(parts.path))


def _in_store(root: str, scheme: str) -> Address:
    name, prefix = _STORES[scheme]
    beginning, separator, rest = root.partition("://")
    bucket, _, path = rest.rstrip("/").partition("/")
    if beginning.lower() != scheme or not separator or not bucket:
        raise AddressError(f"{root} is not an address of a lake: write {scheme}://bucket/folder")
    is_azure = prefix == "AZURE_"  # abfss://container@account.…/folder
    if "@" in bucket and (not is_azure or ":" in bucket):
        raise AddressError(
            f"{scheme}://…@{bucket.rpartition('@')[2]} cannot be a lake: leave out what comes before "
            f"the @, and set {prefix}… in the environment or in --storage-options FILE"
        )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]*", bucket):
        raise AddressError(f"{root} cannot be a lake: {bucket} is not a bucket name")
    if path and not all(part.strip(".") for part in path.split("/")):
        raise AddressError(f"{root} cannot be a lake: a name in its path is empty or has dots only")
    _require_plain(root, path)
    return Address(url=f"{name or scheme}://{bucket}{'/' if path else ''}{path}", prefix=prefix)


def _require_plain(root: str, path: str, barred: str = "") -> None:
    # deltalake 1.6.6 reads a log at the decoded path, which may be another lake's.
    if unquote(path, errors="surrogateescape") != path:
        raise AddressError(
            f"{root} cannot be a lake: deltalake, which writes its tables, takes a percent sign with "
            "two digits for another character; choose another name"
        )
    if found := [character for character in barred if character in path]:
        raise AddressError(
            f"{root} cannot be a lake: deltalake, which writes its tables, cannot open a folder with "
            f"{found[0]} in its path; choose another name"
        )
    if not path.isprintable():
        raise AddressError(
            f"{root!r} cannot be a lake: its name has characters that cannot be printed"
        )
