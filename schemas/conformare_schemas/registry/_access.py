"""How a registry is reached and logged in to: one definition for jobs, sink and commands."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from conformare_schemas.registry._errors import RegistrySettingsError

SubjectStrategy = Literal["TopicName", "RecordName", "TopicRecordName"]
"""How a subject is named, in Confluent's words."""


class RegistryAccess(BaseModel):
    """Where a Schema Registry is, how its subjects are named, and what it wants of its clients.

    What is wrong is told without the values: any of them may be a secret.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    url: str
    """Where Confluent's API is, such as `https://registry:8081`."""
    subject_strategy: SubjectStrategy = "TopicName"
    """How the subjects of our schemas are named."""
    user_info: SecretStr | None = Field(default=None, alias="basic.auth.user.info")
    """User and password, `user:password`."""
    token: SecretStr | None = Field(default=None, alias="bearer.auth.token")
    authority: Path | None = Field(default=None, alias="ssl.ca.location")
    """PEM file with the authorities that the registry is known by; the machine's own when not said."""
    certificate: Path | None = Field(default=None, alias="ssl.certificate.location")
    """PEM file with the certificate that the client shows."""
    key: Path | None = Field(default=None, alias="ssl.key.location")
    """PEM file with its key; in the certificate's file when not said."""
    key_password: SecretStr | None = Field(default=None, alias="ssl.key.password")

    @field_validator("url")
    @classmethod
    def _is_of_a_registry(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        if "," in url:
            raise ValueError("it must be one URL; name one that leads to whichever registry is up")
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise ValueError("it is no URL") from None
        if parts.username is not None or parts.password is not None:
            raise ValueError("it must not hold a password: that belongs in basic.auth.user.info")
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
            raise ValueError("it must be one URL, http:// or https://")
        if parts.query or parts.fragment or not url.isprintable() or " " in url:
            raise ValueError("it must be one URL without a query")
        return f"{parts.scheme}{url[len(parts.scheme) :]}"  # `HTTPS:` is https:

    @model_validator(mode="after")
    def _is_consistent(self) -> RegistryAccess:
        if self.user_info is not None and self.token is not None:
            raise ValueError("basic.auth.user.info and bearer.auth.token exclude each other")
        if self.user_info is not None and ":" not in self.user_info.get_secret_value():
            raise ValueError("basic.auth.user.info must be user:password")
        token = "" if self.token is None else self.token.get_secret_value()
        if not (token.isascii() and token.isprintable()):
            raise ValueError("bearer.auth.token must be printable ASCII")
        if self.certificate is None and (self.key or self.key_password) is not None:
            raise ValueError("ssl.key.location and ssl.key.password need ssl.certificate.location")
        return self

    @classmethod
    def of(
        cls, url: str, settings: Mapping[str, Any], subject_strategy: str = "TopicName"
    ) -> RegistryAccess:
        """Make it of what a user has set.

        Args:
            url: Where the registry is.
            settings: What it wants of its clients, by Confluent's names: `SETTING_NAMES`.
            subject_strategy: How its subjects are named.

        Raises:
            RegistrySettingsError: Something does not fit.
        """
        if set(settings) - set(SETTING_NAMES):
            # Not which: it may be a secret in the place of its name.
            raise RegistrySettingsError(
                f"a setting of the schema registry is unknown; there are {', '.join(SETTING_NAMES)}"
            )
        try:
            return cls(url=url, subject_strategy=subject_strategy, **settings)
        except ValidationError as exc:
            told = "; ".join(
                ": ".join([*map(str, fault["loc"]), fault["msg"].removeprefix("Value error, ")])
                for fault in exc.errors()
            )
            raise RegistrySettingsError(f"the schema registry: {told}") from None

    def authorization(self) -> str | None:
        """Return the value of the HTTP header `Authorization`; None for none."""
        if self.token is not None:
            return f"Bearer {self.token.get_secret_value()}"
        if self.user_info is not None:
            pair = b64encode(self.user_info.get_secret_value().encode()).decode()
            return f"Basic {pair}"
        return None

    def tls(self) -> ssl.SSLContext:
        """Return what TLS needs, read from its files now.

        Raises:
            RegistrySettingsError: A file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                password = self.key_password and self.key_password.get_secret_value()
                # Without one, Python would ask at the terminal.
                context.load_cert_chain(self.certificate, self.key, password or "")
        except (OSError, ValueError) as exc:
            what = exc.strerror if isinstance(exc, OSError) and exc.strerror else "not PEM"
            raise RegistrySettingsError(
                f"{self.url}: ssl.ca.location, ssl.certificate.location or ssl.key.location cannot "
                f"be used: {what}"
            ) from None
        return context


SETTING_NAMES: tuple[str, ...] = tuple(
    field.alias for field in RegistryAccess.model_fields.values() if field.alias
)
"""What can be set beside the URL and the strategy, by Confluent's names."""
