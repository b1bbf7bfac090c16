"""Ids of schemas on this machine's disk, so that a job needs no registry that answers."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TypeGuard

from conformare._errors import SpoolError, SpoolFileError
from conformare.emission.spool import Spool, own_content, require_own, write_synced
from conformare_schemas import LARGEST_SCHEMA_ID, RELEASED_SCHEMAS, message_header
from conformare_schemas.registry import RegistryAccess

Ids = Mapping[tuple[str, bytes], int]
"""Grain and single-object header of a released schema → the registry's id of it."""

_DIGEST_DIGITS = 16


class IdCache:
    """The ids of one registry, in a file beside what waits for one destination.

    Args:
        spool: The spool of that destination.
        access: The registry.
    """

    def __init__(self, spool: Spool, access: RegistryAccess) -> None:
        digest = sha256(f"{access.subject_strategy} {access.url}".encode()).hexdigest()
        self._file = spool.beside(f"schema-ids-{digest[:_DIGEST_DIGITS]}.json")
        self._folders = (self._file.parent.parent, self._file.parent)

    def read(self) -> Ids:
        """Return the ids; none where the file is not there, is damaged, or may be somebody else's."""
        with suppress(SpoolError, SpoolFileError, OSError, ValueError, RecursionError):
            require_own(*self._folders)
            content = json.loads(own_content(self._file))
            if isinstance(content, dict):
                ids = {key: content.get(_name(*key)) for key in map(_key, RELEASED_SCHEMAS)}
                return {key: one for key, one in ids.items() if _is_id(one)}
        return {}

    def write(self, ids: Ids) -> None:
        """Keep ids in place of those that are there; where that fails, the next process looks up."""
        draft = self._file.with_name(f".{self._file.name}.{uuid.uuid4()}")
        content = {_name(*key): schema_id for key, schema_id in ids.items()}
        with suppress(SpoolError, OSError):
            require_own(*self._folders)
            try:
                write_synced(draft, json.dumps(content).encode())
                os.replace(draft, self._file)  # noqa: PTH105 - one call, as the spool's own
            except OSError:
                draft.unlink(missing_ok=True)
                raise


def _key(released: tuple[str, int]) -> tuple[str, bytes]:
    grain, version = released
    return grain, message_header(grain, version)


def _name(grain: str, header: bytes) -> str:
    return f"{grain} {header.hex()}"


def _is_id(found: object) -> TypeGuard[int]:
    return type(found) is int and 0 <= found <= LARGEST_SCHEMA_ID
