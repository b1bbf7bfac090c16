"""Framing by a Schema Registry's ids, where one is set."""

from conformare.emission.registry._cache import IdCache
from conformare.emission.registry._ids import RegisteredIds

__all__ = ["IdCache", "RegisteredIds"]
