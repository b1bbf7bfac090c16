"""Text of anybody's, made fit for a terminal; free of what takes time to import."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return a text on one line, with an escape such as `\x1b` for all that is not seen as it is.

    Control and format characters, lone surrogates and what has no meaning are escaped: a terminal
    acts on some of them, others change how the rest is shown, and XML forbids most.

    Args:
        text: The text.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
