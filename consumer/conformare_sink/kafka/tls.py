"""TLS as a client of brokers: its files, checked, and what certificates say."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from conformare_sink.errors import KafkaSettingsError

_CERTIFICATE = "BEGIN CERTIFICATE-----"
_ANY_KEY = "PRIVATE KEY-----"
_KEY = "BEGIN PRIVATE KEY-----"
_ENCRYPTED_KEY = "BEGIN ENCRYPTED PRIVATE KEY-----"

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which the ssl module has no name."""
_HANDSHAKE_ROUNDS = 10


@dataclass(frozen=True)
class Certificate:
    """What a certificate says.

    Attributes:
        issuer: Who has signed it.
        names: The names and addresses that it is for.
        begins: From when it is valid.
        ends: Until when it is valid.
    """

    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, decoded: Mapping[str, Any]) -> Certificate:
        """Return what the ssl module has decoded."""
        return cls(
            issuer=",".join(f"{key}={value}" for part in decoded["issuer"] for key, value in part),
            names=tuple(name for _, name in decoded.get("subjectAltName", ())),
            begins=_time(decoded["notBefore"]),
            ends=_time(decoded["notAfter"]),
        )


@dataclass(frozen=True)
class ClientFiles:
    """What a client knows brokers by, and what it shows them."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return how to speak TLS with these files.

        Raises:
            KafkaSettingsError: One of them cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.authority is None:
            context.load_default_certs()
        else:
            _require_certificate(self.authority, "ssl.ca.location")
            try:
                context.load_verify_locations(self.authority)
            except ssl.SSLError as exc:
                raise KafkaSettingsError(f"{self.authority} (ssl.ca.location) is damaged") from exc
        if self.certificate is not None and self.key is not None:
            self._load_own(context, self.certificate, self.key)
        return context

    def shown(self) -> Certificate:
        """Return what the client's own certificate says.

        Raises:
            LookupError: It has none, or one that says nothing.
            ssl.SSLError: It cannot be shown as a client's.
        """
        if self.certificate is None or self.key is None:
            raise LookupError
        # The ssl module decodes only what somebody was shown: so it is shown to ourselves.
        client, server = trusting(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for end in (client, server):
            end.load_cert_chain(self.certificate, self.key, self.key_password)
        server.verify_mode = ssl.CERT_REQUIRED
        _trust_itself(server, read_text(self.certificate))
        to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        shower = client.wrap_bio(to_client, to_server)
        shown = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(_HANDSHAKE_ROUNDS):
            for end_of in (shower, shown):
                with suppress(ssl.SSLWantReadError):
                    end_of.do_handshake()
        return Certificate.of(shown.getpeercert() or {})

    def _load_own(self, context: ssl.SSLContext, certificate: Path, key: Path) -> None:
        _require_certificate(certificate, "ssl.certificate.location")
        text, told = read_text(key), f"{key} (ssl.key.location)"
        if _ANY_KEY not in text:
            but = ", but a certificate: were two files swapped?" if _CERTIFICATE in text else ""
            raise KafkaSettingsError(f"{told} has no key in PEM{but}")
        if _ENCRYPTED_KEY in text:
            if self.key_password is None:
                raise KafkaSettingsError(f"{told} is encrypted: set ssl.key.password")
        elif _KEY not in text:
            raise KafkaSettingsError(
                f"{told} is not in PKCS #8, the form that Java reads: convert it with "
                f"`openssl pkcs8 -topk8 -in {key} -out …`"
            )
        elif self.key_password is not None:
            raise KafkaSettingsError(f"{told} is not encrypted: remove ssl.key.password")
        try:
            context.load_cert_chain(certificate, key, self.key_password)
        except (ssl.SSLError, ValueError) as exc:
            if "MISMATCH" in (getattr(exc, "reason", None) or ""):
                why = f"is not the key of {certificate} (ssl.certificate.location)"
            elif self.key_password is not None:
                why = "cannot be decrypted: ssl.key.password is another one, or it is damaged"
            else:
                why = f"or {certificate} (ssl.certificate.location) is damaged"
            raise KafkaSettingsError(f"{told} {why}") from exc


def trusting() -> ssl.SSLContext:
    """Return how to speak TLS with anybody; nothing may be told to them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def vouched_by(shown: bytes) -> ssl.SSLContext:
    """Return how to speak TLS with who has a certificate, whatever is wrong with that.

    Args:
        shown: The certificate, in DER.
    """
    context = trusting()
    context.verify_mode = ssl.CERT_REQUIRED
    _trust_itself(context, shown)
    return context


def read_text(file: Path) -> str:
    """Return what a file of settings or of PEM holds.

    Raises:
        KafkaSettingsError: It cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not a text"
        raise KafkaSettingsError(f"{file} cannot be read: {reason}") from exc


def _require_certificate(file: Path, setting: str) -> None:
    text = read_text(file)
    if _CERTIFICATE not in text:
        but = ", but a key: were two files swapped?" if _ANY_KEY in text else ""
        raise KafkaSettingsError(f"{file} ({setting}) has no certificate in PEM{but}")


def _trust_itself(context: ssl.SSLContext, certificate: str | bytes) -> None:
    context.load_verify_locations(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), timezone.utc)
