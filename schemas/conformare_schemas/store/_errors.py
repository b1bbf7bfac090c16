"""What is wrong with how a store was named or set, in one line; each side translates it to its own."""

from __future__ import annotations


class StoreError(ValueError):
    """A setting of a store cannot be right; the message names it and has no value."""


class AddressError(StoreError):
    """No lake can be at an address."""
