"""Where a lake is, and how its store is reached: one definition for all who open lakes."""

from conformare_schemas.store._address import Address, parse_address
from conformare_schemas.store._errors import AddressError, StoreError
from conformare_schemas.store._faults import NO_STORE, explain
from conformare_schemas.store._settings import StoreSettings
from conformare_schemas.store._settings_file import read_settings

__all__ = [
    "NO_STORE",
    "Address",
    "AddressError",
    "StoreError",
    "StoreSettings",
    "explain",
    "parse_address",
    "read_settings",
]
