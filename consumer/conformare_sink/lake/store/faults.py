"""What a store's refusal means: the one table of its texts, and the setting to change for each."""

from __future__ import annotations

_NAMES = {
    "AWS_": {
        "key": "AWS_ACCESS_KEY_ID",
        "secret": "AWS_SECRET_ACCESS_KEY",
        "endpoint": "AWS_ENDPOINT_URL",
        "http": "AWS_ALLOW_HTTP=true",
    },
    "AZURE_": {
        "key": "AZURE_STORAGE_ACCOUNT_NAME",
        "secret": "AZURE_STORAGE_ACCOUNT_KEY",
        "endpoint": "AZURE_STORAGE_ENDPOINT",
        "http": "AZURE_ALLOW_HTTP=true",
    },
    "GOOGLE_": {
        "key": "GOOGLE_SERVICE_ACCOUNT",
        "secret": "GOOGLE_SERVICE_ACCOUNT_KEY",
        "endpoint": "GOOGLE_BASE_URL",
        "http": "GOOGLE_ALLOW_HTTP=true",
    },
}
"""Settings by how their names begin."""

_CAUSES = (
    (("MissingSecretAccessKey", "Missing SecretAccessKey"), "there is no secret: set {secret}"),
    (("RequestTimeTooSkewed",), "the clock of this machine is too far off: synchronise it"),
    (
        ("InvalidAccessKeyId", "InvalidAuthenticationInfo", "invalid_grant"),
        "the store does not know the key: correct {key}",
    ),
    (
        ("SignatureDoesNotMatch", "AuthenticationFailed"),
        "the secret does not fit the key: correct {secret}",
    ),
    (("ExpiredToken",), "the credentials have expired: renew {key} and {secret}"),
    (
        ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"),
        "there is no such bucket: correct --lake, or create the bucket",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "incorrect region"),
        "the bucket is in another region: set AWS_REGION",
    ),
    (
        ("169.254.169.254", "/latest/api/token", "metadata.google.internal", "IMDS"),
        "there are no credentials: set {key} and {secret}, or give --storage-options FILE",
    ),
    (
        ("URL scheme is not allowed", "builder error", "BadScheme"),
        "{endpoint} begins with http://, which is not allowed: set {http}, or use https://",
    ),
    (
        ("AccessDenied", "403 Forbidden", "AuthorizationPermissionMismatch", "PermissionDenied"),
        "the credentials may not do this: let them list, read, write and delete below --lake",
    ),
    (
        ("InvalidCertificate", "certificate", "UnknownIssuer"),
        "the certificate of {endpoint} is not trusted: correct {endpoint}, or trust its authority",
    ),
    (
        ("error sending request", "timed out", "dns error", "Connection refused", "ConnectError"),
        "the store does not answer: correct {endpoint}, or wait until it is reachable",
    ),
    (
        ("Unable to rename file", "Operation not supported", "Function not implemented"),
        "its file system cannot make a file only where there is none: put the lake on a local disk or "
        "into an object store, or its tables into a catalog",
    ),
    (("No space left on device",), "its disk is full: make room"),
    (("Permission denied",), "permission denied: let this user read and write it"),
    (("Read-only file system",), "its file system is mounted read-only: mount it for writing"),
    (("Not a directory",), "it is no folder: correct --lake"),
)
"""What a text has in it, and what that means; the first that fits is told."""


def explain(text: str, prefix: str) -> str:
    """Return what went wrong and which setting to change, in one line.

    Args:
        text: What obstore or deltalake said, with or without the debug text behind it.
        prefix: How the names of the store's settings begin; empty on this machine's disks.
    """
    names = _NAMES.get(prefix, {})
    for signs, meaning in _CAUSES:
        if any(sign in text for sign in signs) and (names or "{" not in meaning):
            return meaning.format(**names)
    lines = text.partition("Debug source:")[0].strip().splitlines()
    return lines[0] if lines else "the store gave no reason"
