"""What brokers want of their clients, by the names of Kafka's Java client.

Spark reads through that client. Where a setting names a file, Java gets what the file holds: Spark's
executors may be elsewhere. What Java is told in a block of `untold` is in no log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from conformare_sink.kafka.access import OAUTHBEARER, KafkaAccess
from conformare_sink.kafka.tls import read_text

_SECURITY = "org.apache.kafka.common.security"
_LOGIN_MODULES = {
    "PLAIN": f"{_SECURITY}.plain.PlainLoginModule",
    "SCRAM-SHA-256": f"{_SECURITY}.scram.ScramLoginModule",
    "SCRAM-SHA-512": f"{_SECURITY}.scram.ScramLoginModule",
    OAUTHBEARER: f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule",
}
_PY4J_LOGS = tuple(map(logging.getLogger, ("py4j.clientserver", "py4j.java_gateway")))
_FETCHES_TOKENS = f"{_SECURITY}.oauthbearer.OAuthBearerLoginCallbackHandler"


def java_settings(access: KafkaAccess) -> dict[str, str]:
    """Return settings by the names of Kafka's Java client.

    Raises:
        KafkaSettingsError: One of the files cannot be read any more.
    """
    if access.protocol == "PLAINTEXT":
        return {}
    settings = {"security.protocol": access.protocol}
    if access.logs_in and access.mechanism:
        settings["sasl.mechanism"] = access.mechanism
        shown = " ".join(f"{name}={_quoted(value)}" for name, value in _login(access))
        settings["sasl.jaas.config"] = f"{_LOGIN_MODULES[access.mechanism]} required {shown};"
    if access.shows_token and access.token_endpoint:
        settings["sasl.oauthbearer.token.endpoint.url"] = access.token_endpoint
        settings["sasl.login.callback.handler.class"] = _FETCHES_TOKENS
    if access.authority:
        settings.update(_trusting(access.authority))
    if access.certificate and access.key:
        settings["ssl.keystore.type"] = "PEM"
        settings["ssl.keystore.certificate.chain"] = read_text(access.certificate)
        settings["ssl.keystore.key"] = read_text(access.key)
        if access.key_password:
            settings["ssl.key.password"] = access.key_password.get_secret_value()
    return settings


def as_spark_options(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings of Kafka's Java client as options of Spark's Kafka source."""
    return {f"kafka.{name}": value for name, value in settings.items()}


@contextmanager
def untold() -> Iterator[None]:
    """Keep what this thread tells Java meanwhile out of the log.

    At the level DEBUG, py4j logs each call with its arguments.
    """
    others = _OfOtherThreads()
    for log in _PY4J_LOGS:
        log.addFilter(others)
    try:
        yield
    finally:
        for log in _PY4J_LOGS:
            log.removeFilter(others)


class _OfOtherThreads(logging.Filter):
    """Lets through what other threads than the one that made it log."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


def _login(access: KafkaAccess) -> Iterator[tuple[str, str | SecretStr]]:
    """Return the options of Java's login."""
    if not access.shows_token:
        yield from _given(username=access.username, password=access.password)
        return
    yield from _given(
        clientId=access.client_id, clientSecret=access.client_secret, scope=access.scope
    )
    for part in filter(None, (access.extensions or "").split(",")):
        name, _, value = part.partition("=")
        yield f"extension_{name.strip()}", value.strip()
    if access.token_authority:
        yield from _trusting(access.token_authority).items()


def _given(**options: str | SecretStr | None) -> Iterator[tuple[str, str | SecretStr]]:
    return ((name, value) for name, value in options.items() if value is not None)


def _trusting(authority: Path) -> dict[str, str]:
    return {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": read_text(authority)}


def _quoted(value: str | SecretStr) -> str:
    """Return a text as Java's login configuration quotes it."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
