"""Paths and names of tables: shown, without what is appended to them and without values of rows."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote

from conformare.capture.locations._addresses import without_addresses
from conformare.capture.locations._hidden import HIDDEN
from conformare.capture.locations._oracle import shown_descriptor
from conformare.capture.locations._places import is_secret
from conformare.capture.locations._queries import is_query, shown_query
from conformare.capture.locations._unreadable import unreadable
from conformare.capture.sensitivity._columns import scan_columns

KIND = "text"

# A "?" in a path is a wildcard, unless the name of a parameter follows, encoded or not.
_NO_NAME = r"[^/\\?&;#=,]"
_PARAMETERS = re.compile(
    rf"(?:[?&;#]|%(?:25)*(?:3[fFbB]|26|23))(?={_NO_NAME}+(?:=|%(?:25)*3[dD]))"
    rf"|[?&;,\s](?=[\w.-]*(?:pass|pwd|secret|token|key|sig|user|uid|cred|auth|sas)[\w.-]*\s*=)",
    re.IGNORECASE,
)
# Delta's way to name a version of a table.
_VERSION = re.compile(r"@(?:v\d+|\d{17})(?=[/\\]*$)")
# Parameters in which an "@" is usual.
_WITH_AT_SIGN = re.compile(
    r"\s*(?:user|username|user id|uid|login|email|principal|password|passwd|pwd|pass"
    r"|oauthserviceacctemail)\s*=",
    re.IGNORECASE,
)
_FOLDER = re.compile(r"[\\/]|\.{1,2}[\\/]|~")
_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/])")
_OF_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")
# None is a name in backticks, nor a URL or a place inside of something else.
_WITH_SLASHES = re.compile(r"(?!.*(?:`|://|=/))[^/]*/", re.DOTALL)
_SHARE = re.compile(r"\\\\[\w.$-]+(?:@SSL)?(?:@\d+)?(?:\\.*)?", re.IGNORECASE | re.DOTALL)
_NOT_OF_A_PATH = re.compile(
    r"[\x00-\x1f\x7f\u2028\u2029\";]|jdbc:|'\s*:|(?:password|passwd|pwd|secret|token|key)\s*:\s",
    re.IGNORECASE,
)


def shown_path(text: str) -> str:
    """Return a path or a name of a table as it may be shown.

    Args:
        text: Anything that is not of another form.
    """
    if is_query(text):
        return shown_query(text)
    path = without_parameters(text)
    if "@" in text[len(path) :] and not are_at_signs_of_parameters(text):
        return unreadable(KIND, text)
    shown = _behind_a_user(path) or _without_user(path)
    if shown is None:
        return unreadable(KIND, text)
    if shown.count("`") % 2:  # the end of a name in backticks has been cut
        shown = f"{shown}`"
    return normal(shown)


def normal(path: str) -> str:
    """Return a path as a file system reads it: "//", "/./" and a "/" at the end say nothing.

    Args:
        path: A path, or anything else, which stays as it is.
    """
    if _OF_WINDOWS.match(path):
        return path.rstrip("\\") if len(path) > len("C:\\") else path
    if not path.strip("/"):
        return path[:1]
    return posixpath.normpath(path) if _WITH_SLASHES.match(path) else path


def _behind_a_user(path: str) -> str | None:
    """Return the host, which a port makes certain, behind `user/password@`."""
    user, _, place = path.rpartition("@")
    descriptor = shown_descriptor(place) if user else None
    return descriptor if descriptor and re.search(r":\d+(?:[/:]|$)", descriptor) else None


def _without_user(path: str) -> str | None:
    """Return a path without values of rows, None where part of it may be a user's password."""
    is_share = path.startswith("\\\\")
    if _NOT_OF_A_PATH.search(path) or (is_share and not _SHARE.fullmatch(path)):
        return None
    drive = _DRIVE.match(path)
    start = drive.end() if drive else 0
    before = _VERSION.sub("", path[start:]).rpartition("@")[0]
    if drive and before:  # or a user of one letter
        return None
    is_folder = _FOLDER.match(path[start:]) is not None
    if not is_share and re.search(r":" if is_folder else r"[/\\:@]", before):
        return None
    shown = path[:start] + without_values(path[start:])
    return shown if is_folder or "@" not in _VERSION.sub("", shown) else None


def are_at_signs_of_parameters(rest: str) -> bool:
    """Whether every "@" of a URL is in the value of a parameter that usually has one.

    Args:
        rest: What follows the host.
    """
    path, *parameters = re.split(r"[?;&#]", rest)
    return "@" not in path and all(
        "@" not in parameter or _WITH_AT_SIGN.match(parameter) for parameter in parameters
    )


def without_parameters(path: str) -> str:
    """Return a path without what is appended to it, such as the signature of a shared access."""
    for found in _PARAMETERS.finditer(path):
        # In braces stand alternatives, partitions among them.
        if found[0] != "," or "{" not in path[: found.start()]:
            return path[: found.start()].rstrip()
    return path


def without_values(path: str) -> str:
    """Return a path without addresses of persons and without values of sensitive columns.

    Args:
        path: A path whose segments may be `column=value`, as those of partitions are.
    """
    parts = re.split(r"([/\\]+)", path)
    return "".join(without_addresses(_without_value(part)) for part in parts)


def _without_value(segment: str) -> str:
    column, sign, _ = segment.partition("=")
    if not sign:
        return segment
    name = unquote(column)
    return f"{column}={HIDDEN}" if is_secret(name) or scan_columns([name]) else segment
