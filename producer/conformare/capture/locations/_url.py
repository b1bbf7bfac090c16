"""URLs: scheme, hosts, ports and path; never a user, a parameter or a fragment."""

from __future__ import annotations

import re

from conformare.capture.locations._hosts import are_hosts, one_form
from conformare.capture.locations._paths import (
    are_at_signs_of_parameters,
    normal,
    shown_path,
    without_parameters,
    without_values,
)
from conformare.capture.locations._unreadable import unreadable

# Between scheme and host these name a container, which is not a user.
_WITH_CONTAINERS = frozenset({"abfs", "abfss", "wasb", "wasbs"})
# Names of buckets and keys are what they are, in case and in slashes.
_BUCKETS = frozenset({"s3", "s3a", "s3n", "gs", "oss", "cosn", "obs"})
# Object stores have no ports, so a colon there always belongs to a key.
_WITHOUT_PORTS = frozenset({*_BUCKETS, *_WITH_CONTAINERS})
_WITHOUT_USERS = frozenset(
    {"hdfs", "viewfs", "webhdfs", "swebhdfs", "har", "ofs", "o3fs", "maprfs"}
)
# There a "?" in a path is a wildcard, and an "@" is nobody's password.
_STORES = frozenset(
    {*_WITHOUT_PORTS, *_WITHOUT_USERS, "file", "dbfs", "adl", "adls", "swift", "lakefs", "alluxio"}
)
_KEEPS_SLASHES = frozenset({*_BUCKETS, "wasb", "wasbs"})
SAME_STORE = {"s3a": "s3", "s3n": "s3", "abfs": "abfss", "wasb": "wasbs"}
"""Schemes by which one object store is reached → the one that it is shown by."""
_SAME = {**SAME_STORE, "postgres": "postgresql"}
# Of Databricks: it has the same path with and without its file system.
_VOLUME = re.compile(r"/Volumes/")
_THIS_MACHINE = ("", "localhost")

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?=//)")
_SCHEME_OF_PATH = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?=/)")
_SEPARATOR = re.compile(r"[?;&#]")
# What is no host.
_NOTHING_CERTAIN = ("\0", "")
_AUTHORITY = re.compile(r"[^/?#;\\]*(?:\\[\w$]+(?=[:;/?#]|$)[^/?#;\\]*)?")
_PORT = re.compile(r":\d{4,5}$")
_CONTAINER = re.compile(r"[\w$.% -]+@[^@:]*")
_ACCESS_POINT = re.compile(r"arn:[\w-]+:s3[\w-]*:[\w-]*:\d*:[\w-]+")
_END = re.compile(r"[/\s]+\Z")
_PROFILE = ".share"
_SHARED_TABLE = re.compile(r"#[\w-]+\.[\w-]+\.[\w-]+")
_BEGINS_PARAMETERS = re.compile(r"[?;#]|%(?:25)*(?:3[fFbB]|23)")


def is_url(text: str) -> bool:
    """Whether a text begins as a URL does, that of a path included."""
    return _SCHEME_OF_PATH.match(text) is not None


def shown_url(text: str) -> str:
    """Return of a URL what says where something lies.

    Args:
        text: `scheme://…` or `scheme:/path`.
    """
    found = _SCHEME.match(text)
    if found is None:
        scheme, _, path = text.partition(":")
        return _composed(scheme.lower(), "", shown_path(path))
    scheme = found["scheme"].lower()
    parts = authority_and_rest(scheme, text[found.end() + 2 :])
    if parts is None:
        return unreadable(scheme, text)
    authority, rest = parts
    if scheme in _STORES:
        path = without_parameters(rest)
        # A bare "?" behind all of it begins no wildcard of a folder.
        path = path if ";" not in path else path[: path.index(";")]
    else:
        path = _BEGINS_PARAMETERS.split(rest, maxsplit=1)[0]
        path = without_parameters(path) + _shared_table(path, rest)
    path = without_values(path) if authority else shown_path(f"/{path.lstrip('/')}")
    return _composed(scheme, authority, path)


def _composed(scheme: str, authority: str, path: str) -> str:
    """Put a URL together, in the one form that its place has."""
    scheme = _SAME.get(scheme, scheme)
    if scheme not in _BUCKETS:
        container, sign, hosts = authority.rpartition("@")
        authority = f"{container}{sign}{one_form(hosts, scheme)}"
    if path.startswith("/") and scheme in _STORES and scheme not in _KEEPS_SLASHES:
        path = normal(f"/{path.lstrip('/')}")
    is_volume = scheme == "dbfs" and _VOLUME.match(path)
    if (scheme == "file" and authority in _THIS_MACHINE) or is_volume:
        return path.rstrip()
    path = _END.sub("", path)
    return f"{scheme}://{authority}{path}" if authority else f"{scheme}:{path or '/'}"


def _shared_table(path: str, rest: str) -> str:
    """Return what names a table behind a profile of Delta Sharing, nothing of other fragments."""
    found = _SHARED_TABLE.fullmatch(rest[len(path) :])
    return found[0] if found and path.endswith(_PROFILE) else ""


def shown_share(text: str) -> str:
    """Return of `//host/path` what says where something lies.

    Args:
        text: A URL without a scheme, or a path that begins with two slashes.
    """
    parts = authority_and_rest("", text[2:])
    if parts is None:
        return unreadable("text", text)
    return shown_path(f"//{one_form(parts[0])}{_BEGINS_PARAMETERS.split(parts[1], maxsplit=1)[0]}")


def authority_and_rest(scheme: str, text: str) -> tuple[str, str] | None:
    """Return the hosts of a URL, without a user, and what follows; None if it is not certain.

    Args:
        scheme: Its scheme, in lower case.
        text: What follows the two slashes.
    """
    parts = _split(text)
    if "@" in parts[1] and not are_at_signs_of_parameters(parts[1]):
        parts = _where_a_user_may_end(scheme, text, *parts)
    authority, rest = parts
    host = _without_user(scheme, authority)
    is_key = ":" in host and scheme in _WITHOUT_PORTS
    is_known = not host or (are_hosts(host.rpartition("@")[2]) and not is_key)
    is_certain = is_known or _ACCESS_POINT.fullmatch(host) is not None
    return None if rest.startswith("\\") or not is_certain else (host, rest)


def _where_a_user_may_end(scheme: str, text: str, authority: str, rest: str) -> tuple[str, str]:
    """Return the authority and the rest of a URL that has an "@" behind its first slash.

    It is part of the path, or the end of a user's password that holds a slash.
    """
    host = _without_user(scheme, authority)
    if are_hosts(host.rpartition("@")[2]) and not (":" in authority and scheme in _WITHOUT_PORTS):
        is_certain = _PORT.search(authority) if ":" in authority else ":" not in rest
        return (host, rest) if scheme in _STORES and is_certain else _NOTHING_CERTAIN
    # A key may hold "/" and "?" unescaped: it ends at the last "@", unless that is in a parameter.
    between = text.partition("@")[2].rpartition("@")[0]
    is_key = ":" in authority and "@" not in authority
    return (
        _split(text.rpartition("@")[2])
        if is_key and not _SEPARATOR.search(between)
        else _NOTHING_CERTAIN
    )


def _without_user(scheme: str, authority: str) -> str:
    """Return an authority without what stands before its host, unless that is a container."""
    is_container = scheme in _WITH_CONTAINERS and _CONTAINER.fullmatch(authority)
    return authority if is_container else authority.rpartition("@")[2]


def _split(text: str) -> tuple[str, str]:
    found = _AUTHORITY.match(text)
    end = 0 if found is None else found.end()
    return text[:end], text[end:]
