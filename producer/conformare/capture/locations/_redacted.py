"""Where data lies, and other text, without credentials and without addresses of persons."""

from __future__ import annotations

import re

HIDDEN = "***"
_LABEL_CHARACTERS = 40

# Parameters whose values name a place and never a secret. Every other one is dropped, name and
# value: an unknown name may itself be part of a password with an unescaped separator.
_PLACE_PARAMETERS = frozenset(
    {
        "catalog",
        "currentschema",
        "database",
        "databasename",
        "db",
        "encrypt",
        "httppath",
        "instance",
        "role",
        "schema",
        "servicename",
        "ssl",
        "sslmode",
        "warehouse",
    }
)
# Between scheme and path these name a container, which is not a user.
_CONTAINER_SCHEMES = ("abfs", "abfss", "wasb", "wasbs")
# Object stores have no ports, so a colon there always belongs to a key.
_PORTLESS_SCHEMES = ("s3", "s3a", "s3n", "gs", "oss", "cosn", "obs")

_SCHEME = re.compile(r"^(?:jdbc:)?(?P<scheme>[A-Za-z][A-Za-z0-9+.\-:]*?)://", re.DOTALL)
_HOST_AND_PORT = re.compile(r"^(?:\[[^\]@]*\]|[^:@]*)(?::\d*)?(?:,[^:@,]+(?::\d*)?)*$")
_ORACLE = re.compile(r"^(jdbc:oracle:\w+:).*@", re.IGNORECASE | re.DOTALL)
_ORACLE_WITHOUT_HOST = re.compile(r"^(jdbc:oracle:\w+:)[^@]*/[^@]*$", re.IGNORECASE | re.DOTALL)
_SECRET_IN_PARENTHESES = re.compile(
    r"\([^()]*(?:user|pass|pwd|secret|token|key)[^()=]*=[^()]*\)", re.IGNORECASE
)
# Behind "://" stands a container or a user, of which locations have been cleared already.
_ADDRESS = re.compile(
    r"(?<![\w.+%-])(?<!://)[\w.+%-]*\w[\w.+%-]*@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
)
_URL = re.compile(r"(?:jdbc:|[A-Za-z][A-Za-z0-9+.-]*://)\S+")
_PARAMETER = re.compile(r"^\s*([A-Za-z]+)=([\w.\-/ ]*)\s*$")


def redacted(location: str) -> str:
    """Return a location without user names, passwords, keys, tokens, signatures and addresses.

    Args:
        location: A path, a URL, a JDBC URL or the name of a table.

    Returns:
        The same text where it holds nothing of the kind. What cannot be told apart from a
        credential is hidden too.
    """
    is_jdbc = location.lower().startswith("jdbc:")
    scheme = _SCHEME.match(location)
    if scheme is None and not is_jdbc:
        return without_addresses(location)
    text = _SECRET_IN_PARENTHESES.sub(f"({HIDDEN})", location)
    if _ORACLE.match(text):
        text = _ORACLE.sub(rf"\g<1>{HIDDEN}@", text)
    elif _ORACLE_WITHOUT_HOST.match(text) and scheme is None:
        text = _ORACLE_WITHOUT_HOST.sub(rf"\g<1>{HIDDEN}", text)
    elif scheme is not None:
        text = _without_user(text, scheme.end(), scheme["scheme"].lower())
    return without_addresses(_without_parameters(text, separators="?;" if is_jdbc else "?#"))


def without_credentials(text: str) -> str:
    """Return a text with the credentials of every URL in it hidden.

    Args:
        text: Anything, the author's own words too.
    """
    return _URL.sub(lambda url: redacted(url[0]), text) if ":" in text else text


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address in it hidden.

    Names of columns, files and tables may hold values of rows: a pivot makes columns of them, a
    loop over customers makes folders of them.

    Args:
        text: A location, a label or the name of a column.
    """
    return _ADDRESS.sub(HIDDEN, text) if "@" in text else text


def _without_user(text: str, start: int, scheme: str) -> str:
    """Hide what stands before the host."""
    rest = text[start:]
    authority = re.split(r"[/?#;]", rest, maxsplit=1)[0]
    if ":" in authority and "@" in rest:
        looks_like_host = _HOST_AND_PORT.match(authority) is not None
        if looks_like_host and scheme not in _PORTLESS_SCHEMES:
            return text
        # A key may hold "/" and "@" unescaped: everything up to the last "@" may be part of it.
        return f"{text[:start]}{HIDDEN}@{rest.rpartition('@')[2]}"
    if "@" in authority and scheme not in _CONTAINER_SCHEMES:
        return f"{text[:start]}{HIDDEN}@{rest[authority.rindex('@') + 1 :]}"
    return text


def _without_parameters(text: str, separators: str) -> str:
    """Keep of the parameters only those that name a place."""
    found = [text.index(separator) for separator in separators if separator in text]
    if not found or "=" not in text[min(found) :]:
        return text  # a "?" in a path is a wildcard
    start = min(found)
    separator = ";" if text[start] == ";" else "&"
    kept: dict[str, None] = {}
    for parameter in re.split(r"[&;?#]", text[start + 1 :]):
        match = _PARAMETER.match(parameter)
        is_place = match is not None and match[1].lower() in _PLACE_PARAMETERS
        kept.setdefault(parameter.strip() if is_place else HIDDEN)
    return text[: start + 1] + separator.join(kept)


def last_segment(location: str) -> str:
    """Return the last segment of a path or URL, the whole name of a table."""
    trimmed = location.replace("`", "").rstrip("/\\")
    return re.split(r"[/\\]", trimmed)[-1] or trimmed


def label_of_path(location: str) -> str:
    """Return what to call a sink that is a path: its last segment, at most 40 characters."""
    return last_segment(location)[:_LABEL_CHARACTERS]


def label_of_table(name: str) -> str:
    """Return what to call a sink that is a table: its own name, at most 40 characters."""
    return last_segment(name).rpartition(".")[2][:_LABEL_CHARACTERS]


def without_extension(name: str) -> str:
    """Return the name of a file without its extensions."""
    return name.partition(".")[0] or name
