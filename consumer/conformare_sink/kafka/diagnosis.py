"""Which setting keeps a client from a broker that is there: one line, or none."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import TypeVar

from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.access import KafkaAccess
from conformare_sink.kafka.listener import Address, Listener, ask, connect
from conformare_sink.kafka.tls import Certificate, trusting, vouched_by

T = TypeVar("T")

DIAGNOSIS_SECONDS = 5.0
"""How long a look at all brokers may take."""

# OpenSSL's own numbers, which stay the same from version to version, as its texts do not.
_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_UNKNOWN_AUTHORITY = {2, 7, 18, 19, 20, 21, 24, 27, 28, 30}

# What brokers send, without the names of protocols in front, which differ between versions.
_ABOUT_CERTIFICATES = {
    "ACCESS_DENIED",
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "NO_CERTIFICATE",
    "UNKNOWN_CA",
    "UNSUPPORTED_CERTIFICATE",
}
_OWN = ("ssl.certificate.location", "ssl.key.location")
_MOST_SHOWN = 300
_NOTHING_IN_COMMON = {"HANDSHAKE_FAILURE", "INSUFFICIENT_SECURITY", "PROTOCOL_VERSION"}


def diagnose(servers: Sequence[Address], access: KafkaAccess) -> str | None:
    """Return what is wrong with the first of some brokers that something is found to be wrong with.

    A broker that is away, or does not answer for another reason than the settings, is not among
    them: it may be back in a moment.

    Args:
        servers: Where the brokers are.
        access: What the client believes that they want.
    """
    found = (told for server in servers if (told := _diagnose(server, access)) is not None)
    return _in_time(lambda: next(found, None), None)


def silent(servers: Sequence[Address]) -> list[Address]:
    """Return those of some addresses to which there is no connection."""
    return _in_time(lambda: [server for server in servers if not _connects(server)], [*servers])


def _in_time(look: Callable[[], T], otherwise: T) -> T:
    """Return what a look brings; the thread is there since only it bounds the look-up of a name."""
    found: list[T] = []
    thread = threading.Thread(
        target=lambda: found.append(look()), name="kafka-diagnosis", daemon=True
    )
    thread.start()
    thread.join(DIAGNOSIS_SECONDS)
    return found[0] if found else otherwise


def _connects(server: Address) -> bool:
    try:
        with connect(server, None):
            return True
    except OSError:
        return False


def _diagnose(server: Address, access: KafkaAccess) -> str | None:
    try:
        listener = ask(server, access.files.context() if access.speaks_tls else None)
    except KafkaSettingsError as exc:
        return str(exc)
    except ssl.SSLCertVerificationError as exc:
        return _about_the_brokers_certificate(server, access, exc)
    except ssl.SSLError as exc:
        if told := _about_an_alert(server, access, exc):
            return told
        listener = Listener()
    except OSError:
        listener = Listener()
    if listener.is_kafka:
        return _about_the_login(server, access, listener)
    return _no_broker(server, listener) or _about_the_protocol(server, access)


def _no_broker(server: Address, listener: Listener) -> str | None:
    if listener.is_http:
        return f"{server} is an HTTP server and not a Kafka broker: correct the address"
    return None


def _about_the_protocol(server: Address, access: KafkaAccess) -> str | None:
    """Look whether it is with TLS instead of without, or the reverse, that a broker answers."""
    tls = not access.speaks_tls
    says = f"{server} {'speaks' if tls else 'does not speak'} TLS"
    try:
        listener = ask(server, trusting() if tls else None)
    except ssl.SSLError as exc:
        if _alert(exc) in _ABOUT_CERTIFICATES:
            return f"{says} and wants its clients' certificates: {_set(access, 'SSL', *_OWN)}"
        return None
    except OSError:
        return None
    if not listener.is_kafka:
        return _no_broker(server, listener)
    sasl = listener.mechanisms is not None
    more = _login(listener) if sasl and not access.logs_in else ()
    return f"{says}: {_set(access, _protocol(tls=tls, sasl=sasl), *more)}"


def _about_the_login(server: Address, access: KafkaAccess, listener: Listener) -> str | None:
    tls, offered = access.speaks_tls, listener.mechanisms
    if not access.logs_in:
        if offered is None:
            return None
        wanted = _set(access, _protocol(tls=tls, sasl=True), *_login(listener))
        return f"{server} asks for a user's name and password: {wanted}"
    if offered is None:
        return f"{server} asks for no password: {_set(access, _protocol(tls=tls, sasl=False))}"
    if access.mechanism not in offered:
        return (
            f"{server} does not offer sasl.mechanism={access.mechanism}: set one of "
            f"{_shown(*offered)}{_place(access)}"
        )
    return None


def _about_the_brokers_certificate(
    server: Address, access: KafkaAccess, error: ssl.SSLCertVerificationError
) -> str:
    whose = f"the certificate of {server}"
    try:
        found = _certificate(server)
    except (OSError, LookupError):
        return f"{whose} cannot be verified: {error.verify_message}"
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return _out_of_date(found, whose, "renew it on the broker") or (
            f"an authority of {whose}, {_shown(found.issuer)}, is itself not valid now: "
            "renew that, on the broker and in ssl.ca.location"
        )
    if error.verify_code in _OTHER_HOST:
        return (
            f"{whose} is for {_shown(*found.names) or 'no host at all'}, not for {server.host}: name "
            "the broker as its certificate does, in --bootstrap-servers and, on the broker, in "
            "advertised.listeners"
        )
    if error.verify_code in _UNKNOWN_AUTHORITY:
        issuer = f"{whose} is signed by {_shown(found.issuer)}, which"
        if access.authority is None:
            return f"{issuer} this machine does not know: set ssl.ca.location{_place(access)}"
        return f"{issuer} is not in {access.authority}: add it to that file (ssl.ca.location)"
    return f"{whose} cannot be verified: {error.verify_message}"


def _about_an_alert(server: Address, access: KafkaAccess, error: ssl.SSLError) -> str | None:
    alert = _alert(error)
    if alert in _NOTHING_IN_COMMON:
        return (
            f"{server} and this machine have no version or no cipher of TLS in common: enable "
            "TLS 1.2 or 1.3 on the broker"
        )
    if alert not in _ABOUT_CERTIFICATES:
        return None
    if access.certificate is None:
        wanted = " and ".join(_OWN)
        return f"{server} wants its clients' certificates: set {wanted}{_place(access)}"
    whose = f"the certificate in {access.certificate} (ssl.certificate.location)"
    try:
        own = access.files.shown()
    except (ssl.SSLError, LookupError):
        return f"{server} does not accept {whose}"
    return _out_of_date(own, whose, "renew it") or (
        f"{server} does not accept {whose}: its truststore has to have the authority, "
        f"{_shown(own.issuer)}"
    )


def _certificate(server: Address) -> Certificate:
    """Return what a broker's certificate says, whatever is wrong with it."""
    with connect(server, trusting()) as connection:
        shown = connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]  # TLS, by its context
    with connect(server, vouched_by(shown)) as connection:
        return Certificate.of(connection.getpeercert())  # type: ignore[attr-defined]  # TLS, by its context


def _out_of_date(certificate: Certificate, whose: str, advice: str) -> str | None:
    now = datetime.now(timezone.utc)
    clock = f"or correct this machine's clock, which says {now:%Y-%m-%dT%H:%M:%SZ}"
    if now > certificate.ends:
        return f"{whose} expired at {certificate.ends:%Y-%m-%dT%H:%M:%SZ}: {advice}, {clock}"
    if now < certificate.begins:
        return f"{whose} is valid only from {certificate.begins:%Y-%m-%dT%H:%M:%SZ}: wait, {clock}"
    return None


def _alert(error: ssl.SSLError) -> str:
    return str(error.reason or "").partition("ALERT_")[2]


def _protocol(*, tls: bool, sasl: bool) -> str:
    transport = "SSL" if tls else "PLAINTEXT"
    return f"SASL_{transport}" if sasl else transport


def _login(listener: Listener) -> tuple[str, str, str]:
    offered = _shown(*(listener.mechanisms or ()))
    return f"sasl.mechanism (it offers {offered})", "sasl.username", "sasl.password"


def _set(access: KafkaAccess, protocol: str, *more: str) -> str:
    return f"set {', '.join([f'security.protocol={protocol}', *more])}{_place(access)}"


def _place(access: KafkaAccess) -> str:
    return f" in {access.file or 'a file for --kafka-settings'}"


def _shown(*texts: str) -> str:
    """Return what somebody else has written so that it stays in one short line."""
    text = ", ".join(texts)
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_MOST_SHOWN]
    )
