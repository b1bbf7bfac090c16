"""Names of files and folders: one for every identity, on every file system.

File systems ignore case (macOS, Windows), take two spellings of a letter for one (macOS), and end a
name at 143 to 255 bytes.
"""

from __future__ import annotations

import hashlib
import re
import string

LONGEST_EXACT_NAME = 120
READABLE_CHARACTERS = 60
DIGEST_DIGITS = 32

_STAY = frozenset(f"{string.ascii_lowercase}{string.digits}-_")
_DEVICE_OF_WINDOWS = re.compile(r"con|prn|aux|nul|(com|lpt)\d")


def file_name(identity: str) -> str:
    """Return the name under which a pipeline or a run is stored, without its ending.

    Lower-case letters, digits, `-` and `_` stay; every other character is percent-encoded, which
    readers of a folder `pipeline=…` undo. What gets too long that way becomes a readable part, `~`
    and a digest. No two identities have names that differ in case alone, or in spelling.

    Args:
        identity: A `run_id` or a `pipeline`.
    """
    exact = "".join(sign if sign in _STAY else _encoded(sign) for sign in identity)
    # Spark and pyarrow pass over names that begin with `_`.
    if exact[0] in "-_" or _DEVICE_OF_WINDOWS.fullmatch(exact):
        exact = _encoded(exact[0]) + exact[1:]
    if len(exact) <= LONGEST_EXACT_NAME:
        return exact
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", identity)[:READABLE_CHARACTERS].strip("_-")
    return f"{readable}~{hashlib.sha256(identity.encode()).hexdigest()[:DIGEST_DIGITS]}"


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
