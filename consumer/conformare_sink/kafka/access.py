"""How a cluster is reached that asks who is there: one file, said to librdkafka and to Java.

The sink's own questions go through librdkafka, Spark reads through Kafka's Java client, and the two
have different names for the same things. The file has librdkafka's, which the jobs' writers, kcat
and the consoles of hosted clusters use too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from conformare_sink.errors import KafkaSettingsError
from conformare_sink.kafka.tls import ClientFiles, read_text

_LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_SYNONYMS = {"sasl.mechanisms": "sasl.mechanism"}


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
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
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

    @model_validator(mode="after")
    def _is_consistent(self) -> KafkaAccess:
        if self.protocol not in _PROTOCOLS:
            raise ValueError(f"security.protocol must be one of {', '.join(_PROTOCOLS)}")
        if self.logs_in:
            if self.mechanism not in _LOGIN_MODULES:
                raise ValueError(f"sasl.mechanism must be one of {', '.join(_LOGIN_MODULES)}")
            if self.username is None or self.password is None:
                raise ValueError(f"{self.protocol} needs sasl.username and sasl.password")
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
            given[_SYNONYMS.get(name, name)] = value
        known = {field.alias for field in cls.model_fields.values() if field.alias}
        if strange := sorted(given.keys() - known):
            raise KafkaSettingsError(
                f"{file}: {', '.join(strange)} cannot be set here; {', '.join(sorted(known))} can"
            )
        try:
            access = cls(file=file, **given)
        except ValidationError as exc:
            told = "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
            raise KafkaSettingsError(f"{file}: {told}") from None  # its chain has the values
        if access.speaks_tls:
            access.files.context()
        return access

    @property
    def speaks_tls(self) -> bool:
        """Whether what goes to and fro is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def logs_in(self) -> bool:
        """Whether a user's name and password are given to brokers."""
        return self.protocol.startswith("SASL_")

    @property
    def files(self) -> ClientFiles:
        """The files of TLS."""
        password = None if self.key_password is None else self.key_password.get_secret_value()
        return ClientFiles(self.authority, self.certificate, self.key, password)

    def for_librdkafka(self) -> dict[str, str]:
        """Return the settings by librdkafka's names."""
        return {
            field.alias: _plain(value)
            for name, field in type(self).model_fields.items()
            if field.alias and (value := getattr(self, name)) is not None
        }

    def for_java(self) -> dict[str, str]:
        """Return the settings by the names of Kafka's Java client.

        Files go along as their content, for Spark's executors may be elsewhere.

        Raises:
            KafkaSettingsError: One of the files cannot be read any more.
        """
        if self.protocol == "PLAINTEXT":
            return {}
        settings = {"security.protocol": self.protocol}
        if self.mechanism and self.username and self.password:
            settings["sasl.mechanism"] = self.mechanism
            settings["sasl.jaas.config"] = (
                f"{_LOGIN_MODULES[self.mechanism]} required "
                f"username={_quoted(self.username)} password={_quoted(self.password)};"
            )
        if self.authority:
            settings["ssl.truststore.type"] = "PEM"
            settings["ssl.truststore.certificates"] = read_text(self.authority)
        if self.certificate and self.key:
            settings["ssl.keystore.type"] = "PEM"
            settings["ssl.keystore.certificate.chain"] = read_text(self.certificate)
            settings["ssl.keystore.key"] = read_text(self.key)
            if self.key_password:
                settings["ssl.key.password"] = self.key_password.get_secret_value()
        return settings


ANYBODY = KafkaAccess()
"""A cluster that asks nobody who is there."""


def as_spark_options(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings of Kafka's Java client as options of Spark's Kafka source."""
    return {f"kafka.{name}": value for name, value in settings.items()}


def _plain(value: SecretStr | Path | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _quoted(secret: SecretStr) -> str:
    """Return a text as Java's login configuration quotes it."""
    escaped = secret.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
