"""How a cluster is reached that asks who is there: one file, by librdkafka's names.

The jobs' writers, kcat and the consoles of hosted clusters use the same names. `java_client`
translates them for Java.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from conformare_schemas.settings import told
from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.tls import ClientFiles, read_text

BY_PASSWORD = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
"""Mechanisms by which a user's name and password are shown to brokers."""
OAUTHBEARER = "OAUTHBEARER"
"""The mechanism by which a token is shown to brokers, which an identity provider has given."""
OIDC = "oidc"
"""What librdkafka calls it that the client fetches its tokens itself."""

_MECHANISMS = (*BY_PASSWORD, OAUTHBEARER)
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SYNONYMS = {
    "sasl.mechanisms": "sasl.mechanism",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
}
"""Other names of librdkafka's for the same settings."""
_METHOD = "sasl.oauthbearer.method"


class KafkaAccess(BaseModel):
    """What a cluster wants of its clients; nothing, where nothing is said.

    What is wrong is told without the values: any of them may be a secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    file: Path | None = None
    """Where it was read from, for a command that says the same again."""
    protocol: str = Field(default="PLAINTEXT", alias="security.protocol")
    """One of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL."""
    mechanism: str | None = Field(default=None, alias="sasl.mechanism")
    """PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."""
    username: SecretStr | None = Field(default=None, alias="sasl.username")
    """Also kept out of what is printed: hosted clusters call it an API key."""
    password: SecretStr | None = Field(default=None, alias="sasl.password")
    authority: Path | None = Field(default=None, alias="ssl.ca.location")
    """PEM file with the authorities that brokers are known by; the machine's own when not said."""
    certificate: Path | None = Field(default=None, alias="ssl.certificate.location")
    """PEM file with the certificate that the sink shows."""
    key: Path | None = Field(default=None, alias="ssl.key.location")
    """PEM file with its key, in PKCS #8: the form that Java reads."""
    key_password: SecretStr | None = Field(default=None, alias="ssl.key.password")
    token_endpoint: str | None = Field(default=None, alias="sasl.oauthbearer.token.endpoint.url")
    """Where tokens are asked for, by the client's id and secret."""
    client_id: SecretStr | None = Field(default=None, alias="sasl.oauthbearer.client.id")
    client_secret: SecretStr | None = Field(default=None, alias="sasl.oauthbearer.client.secret")
    scope: str | None = Field(default=None, alias="sasl.oauthbearer.scope")
    """What the token is asked for; the identity provider says whether it needs one."""
    extensions: str | None = Field(default=None, alias="sasl.oauthbearer.extensions")
    """What brokers are told beside the token: `name=value`, separated by commas."""
    token_authority: Path | None = Field(default=None, alias="https.ca.location")
    """PEM file with the authorities that the token endpoint is known by; the machine's own when not
    said."""
    contents: str = Field(default="", repr=False)
    """A digest of what the PEM files held when they were read: with it, other files are other
    settings."""

    @model_validator(mode="after")
    def _is_consistent(self) -> KafkaAccess:
        if self.protocol not in _PROTOCOLS:
            raise ValueError(f"security.protocol must be one of {', '.join(_PROTOCOLS)}")
        if self.logs_in:
            if self.mechanism not in _MECHANISMS:
                raise ValueError(f"sasl.mechanism must be one of {', '.join(_MECHANISMS)}")
            wanted = _TOKEN_SETTINGS if self.shows_token else _PASSWORD_SETTINGS
            if any(getattr(self, name) is None for name in wanted):
                raise ValueError(f"{self.mechanism} needs {_names(wanted)}")
        endpoint = self.token_endpoint
        if endpoint is not None and not endpoint.startswith(("https://", "http://")):
            raise ValueError(
                "sasl.oauthbearer.token.endpoint.url must begin with https:// or http://"
            )
        if endpoint is not None and "@" in endpoint:  # it is shown where something is wrong
            raise ValueError(
                "sasl.oauthbearer.token.endpoint.url must hold no password: set "
                f"{_names(_TOKEN_SETTINGS[1:])}"
            )
        if any("=" not in part for part in (self.extensions or "=").split(",")):
            raise ValueError("sasl.oauthbearer.extensions must be name=value, separated by commas")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("ssl.certificate.location and ssl.key.location belong together")
        return self

    @classmethod
    def read(cls, file: Path) -> KafkaAccess:
        """Read a file of lines `name=value`, in which those that begin with `#` are comments.

        Raises:
            KafkaSettingsError: It cannot be read, or something in it cannot be.
        """
        given: dict[str, Any] = {}
        for number, line in enumerate(read_text(file).splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, equals, value = (part.strip() for part in line.partition("="))
            if not equals:
                raise KafkaSettingsError(f"{file}, line {number}: it is not of the form name=value")
            given[SYNONYMS.get(name, name)] = value
        if given.pop(_METHOD, OIDC) != OIDC:
            raise KafkaSettingsError(f"{file}: {_METHOD} must be {OIDC}")
        known = {field.alias for field in cls.model_fields.values() if field.alias}
        if strange := sorted(given.keys() - known):
            raise KafkaSettingsError(
                f"{file}: {', '.join(strange)} cannot be set here; {', '.join(sorted(known))} can"
            )
        try:
            access = cls(file=file, **given)
        except ValidationError as exc:
            faults = "; ".join(map(told, exc.errors()))
            raise KafkaSettingsError(f"{file}: {faults}") from None  # its chain has the values
        if access.speaks_tls:
            access.files.context()
        return access.model_copy(update={"contents": access._digest()})

    @property
    def speaks_tls(self) -> bool:
        """Whether what goes to and fro is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def logs_in(self) -> bool:
        """Whether brokers are told who the client is by a mechanism of SASL."""
        return self.protocol.startswith("SASL_")

    @property
    def shows_token(self) -> bool:
        """Whether that is a token."""
        return self.logs_in and self.mechanism == OAUTHBEARER

    @property
    def secrets_named(self) -> str:
        """The settings that a broker does not accept where it lets nobody in."""
        if not self.logs_in:
            return "the certificate in ssl.certificate.location"
        if self.shows_token:
            return f"the token from {self.token_endpoint} ({_names(_TOKEN_SETTINGS)})"
        return _names(_PASSWORD_SETTINGS)

    @property
    def files(self) -> ClientFiles:
        """The files of TLS."""
        password = None if self.key_password is None else self.key_password.get_secret_value()
        return ClientFiles(self.authority, self.certificate, self.key, password)

    def for_librdkafka(self) -> dict[str, str]:
        """Return the settings by librdkafka's names."""
        settings = {_METHOD: OIDC} if self.shows_token else {}
        known = ssl.get_default_verify_paths().cafile
        if self.shows_token and known:
            # By itself it looks where only some systems have them, and fails on the others.
            settings["https.ca.location"] = known
        return settings | {
            field.alias: _plain(value)
            for name, field in type(self).model_fields.items()
            if field.alias and (value := getattr(self, name)) is not None
        }

    def _digest(self) -> str:
        """Return what tells the files that it names from others, whose names may be the same."""
        files = (self.authority, self.certificate, self.key, self.token_authority)
        contents = "\0".join(read_text(file) if file else "" for file in files)
        return sha256(contents.encode()).hexdigest()


_PASSWORD_SETTINGS = ("username", "password")
_TOKEN_SETTINGS = ("token_endpoint", "client_id", "client_secret")

ANYBODY = KafkaAccess()
"""A cluster that asks nobody who is there."""


def _names(fields: Sequence[str]) -> str:
    """Return the names of settings as a file has them."""
    *others, last = (str(KafkaAccess.model_fields[name].alias) for name in fields)
    return f"{', '.join(others)} and {last}"


def _plain(value: SecretStr | Path | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
