"""What stands for a location that cannot be taken apart: its kind and a digest."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from conformare.capture.locations._places import place_named

DIGITS = 16
# So many rounds make one guess take some hundredths of a second. A text that cannot be taken apart
# may hold a secret, and a plain hash would let anybody who reads the lake try millions of guesses
# each second.
_ROUNDS = 100_000
_SALT = b"conformare location"
_PAIR = re.compile(r"(\w[\w .-]{0,64})=[^=;&?#,()]*")
_DIGEST = re.compile(rf"(?:jdbc:)?(?:[a-z][\w+.-]*:)?[0-9a-f]{{{DIGITS}}}", re.IGNORECASE)


def is_digest(text: str) -> bool:
    """Whether a text is what `unreadable` returns."""
    return _DIGEST.fullmatch(text) is not None


def unreadable(kind: str, text: str) -> str:
    """Return a kind and a digest: the same for the same place, and nothing of its text.

    What stands before the last "@", and every value whose name is not that of a place, is left out
    of the digest: there a secret is likely, and it may change while the place stays.

    Args:
        kind: What the text is, as far as that is certain, such as `jdbc:oracle`.
        text: The text.
    """
    return f"{kind}:{_slow_digest(_PAIR.sub(_place, text.rpartition('@')[2]))}"


def _place(pair: re.Match[str]) -> str:
    return pair[0] if place_named(pair[1]) else f"{pair[1]}="


@lru_cache(maxsize=4_096)
def _slow_digest(text: str) -> str:
    content = text.encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", content, _SALT, _ROUNDS, DIGITS // 2).hex()
