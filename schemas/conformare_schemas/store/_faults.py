"""What a store's refusal means: the one table of its texts, and the setting to change for each."""

from __future__ import annotations

import re
from contextlib import suppress

NO_STORE = "it has every file that is asked for"
"""What a look at a store found that is none, such as a web server."""

_NAMES = {
    "AWS_": {
        "key": "AWS_ACCESS_KEY_ID",
        "secret": "AWS_SECRET_ACCESS_KEY",
        "credentials": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "endpoint": "AWS_ENDPOINT_URL",
        "http": "AWS_ALLOW_HTTP=true",
    },
    "AZURE_": {
        "key": "AZURE_STORAGE_ACCOUNT_NAME",
        "secret": "AZURE_STORAGE_ACCOUNT_KEY",
        "credentials": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        "endpoint": "AZURE_STORAGE_ENDPOINT",
        "http": "AZURE_ALLOW_HTTP=true",
    },
    "GOOGLE_": {
        "key": "GOOGLE_SERVICE_ACCOUNT",
        "secret": "GOOGLE_SERVICE_ACCOUNT",
        "credentials": "GOOGLE_SERVICE_ACCOUNT (a key file) or GOOGLE_SERVICE_ACCOUNT_KEY (its text)",
        "endpoint": "GOOGLE_BASE_URL",
        "http": "GOOGLE_ALLOW_HTTP=true",
    },
}
"""Settings by how their names begin."""

_TO_READ = {"rights": "list and read", "access": "read"}
_TO_WRITE = {"rights": "list, read, write and delete", "access": "read and write"}

_CAUSES = (
    (("Account must be specified", "Missing AccessKeyId", "MissingAccessKeyId"), "set {key}"),
    (("Missing SecretAccessKey", "MissingSecretAccessKey"), "set {secret}"),
    (
        ("RequestTimeTooSkewed", "Request date header", "reasonable timeframe"),
        "the clock of this machine is too far off: synchronise it",
    ),
    (
        ("InvalidAccessKeyId", "InvalidAuthenticationInfo", "invalid_grant"),
        "the store does not know the key: correct {key}",
    ),
    (
        ("SignatureDoesNotMatch", "AuthenticationFailed", "Invalid Access Key"),
        "the secret does not fit the key: correct {secret}",
    ),
    (("service account file",), "the key cannot be read: correct {credentials}"),
    (
        ("ExpiredToken", "TokenRefreshRequired"),
        "the credentials have expired: renew {credentials}",
    ),
    (
        ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "InvalidBucketName"),
        "there is no such bucket: correct --lake, or create the bucket",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "redirect without LOCATION"),
        "the bucket is in another region: set AWS_REGION",
    ),
    (
        ("169.254.169.254", "/latest/api/token", "metadata.google.internal", "IMDS"),
        "there are no credentials: set {credentials}, or give --storage-options FILE",
    ),
    (
        ("conditional put is disabled",),
        "two writers could overwrite each other: leave out AWS_CONDITIONAL_PUT",
    ),
    (
        ("URL scheme is not allowed", "builder error", "BadScheme"),
        "{endpoint} begins with http://, which is not allowed: set {http}, or use https://",
    ),
    (
        ("InvalidContentType", "wrong version number"),
        "{endpoint} begins with https://, and the store has no TLS: use http://, and set {http}",
    ),
    (
        ("AccessDenied", "403 Forbidden", "AuthorizationPermissionMismatch", "PermissionDenied"),
        "the credentials may not do this: let them {rights} below --lake",
    ),
    (
        ("InvalidCertificate", "UnknownIssuer", "invalid peer certificate"),
        "the certificate of {endpoint} is not trusted: correct {endpoint}, or trust its authority",
    ),
    (
        ("invalid list response", "InvalidListResponse", NO_STORE),
        "what answers is no such store: correct {endpoint}",
    ),
    (
        ("error sending request", "timed out", "dns error", "Connection refused", "ConnectError"),
        "the store does not answer: correct {endpoint}, or wait until it is reachable",
    ),
    (
        ("Unable to rename file", "Operation not supported", "Function not implemented"),
        (
            "its file system cannot make a file only where there is none: put the lake on a local "
            "disk or into an object store, or its tables into a catalog"
        ),
    ),
    (("No space left on device",), "its disk is full: make room"),
    (("Permission denied",), "permission denied: let this user {access} it"),
    (("Read-only file system",), "its file system is mounted read-only: mount it for writing"),
    (("Not a directory",), "it is no folder: correct --lake"),
    (("File name too long",), "its name is too long: correct --lake"),
)
"""What a text has in it, and what that means; the first that fits is told."""

_UNKNOWN_SETTING = re.compile(r"Configuration key: '([^']+)' is not valid")
_COLOURS = re.compile("\x1b\\[[0-9;]*m|↳")
_QUERY = re.compile(r"(https?://[^\s?]*)\?\S+")
_LONGEST = 400
"""Characters of a text that this table does not know."""


def explain(error: BaseException, prefix: str, *, writes: bool) -> str:
    """Return what went wrong and which setting to change, in one line.

    Args:
        error: Of obstore, of deltalake, or of the operating system.
        prefix: How the names of the store's settings begin; empty on this machine's disks.
        writes: Whether the lake is opened to be written: it is told which rights that takes.
    """
    text = str(error)
    if unknown := _UNKNOWN_SETTING.search(text):
        return f"it has no setting {unknown[1].upper()}: correct the name, or remove it"
    names = {**_NAMES.get(prefix, {}), **(_TO_WRITE if writes else _TO_READ)}
    for signs, meaning in _CAUSES:
        if any(sign in text for sign in signs):
            # A disk has none of the settings that a meaning may name.
            with suppress(KeyError):
                return meaning.format(**names)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _in_one_line(text) or "no reason was given"


_AFTER_IT = re.compile(r"Debug source:|\s0: <unknown>|\s0: \w+::")
"""Where a text goes on with where in its own code the library was."""


def _in_one_line(text: str) -> str:
    told = _COLOURS.sub("", _AFTER_IT.split(text, maxsplit=1)[0])
    # A query of a URL may have a signature in it.
    return _QUERY.sub(r"\1?…", " ".join(told.split()))[:_LONGEST]
