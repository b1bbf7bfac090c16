"""What is wrong with a registry, in one line; each side translates it to its own."""

from __future__ import annotations


class RegistryError(Exception):
    """A Schema Registry is of no use at present; the message names it and has no secret."""


class RegistrySettingsError(RegistryError, ValueError):
    """A setting by which the registry is to be reached cannot be right."""


class RegistryUnreachableError(RegistryError):
    """It does not answer, not in time, or not as a registry does."""


class RegistryRefusedError(RegistryError):
    """It answers, and refuses.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, told: str, status: int) -> None:
        self.status = status
        super().__init__(told)
