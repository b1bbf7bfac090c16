"""Templates, and how text from a run is shown in them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformare.fleet.page._strips import strip_paths
from conformare.fleet.questions import HEALTHS, KINDS, STATES

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
BADGES = frozenset(
    (
        *HEALTHS,
        *KINDS,
        *STATES,
        *("critical", "high", "medium", "low"),
        *("open", "settled", "nobody", "code alone"),
    )
)
"""What has a shape of its own; what a run calls otherwise has none."""
_PICTURES = 0x2400
_SPACE = 0x20
_DELETE = 0x7F


def shown(text: str) -> str:
    """Return a text in which nothing is unseen: controls are drawn, marks of direction named.

    So no name looks like another, and none turns around what stands beside it.

    Args:
        text: From a run, or from anywhere.
    """
    return _UNSEEN.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < _SPACE:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    if unicodedata.category(found[0]) == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return f"\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}U+{code:04X}\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"


class _Raw(str):
    """A text that is not shown but given back: in the value of a field."""

    __slots__ = ()


def _finalized(value: Any) -> Any:
    """Show what a template puts out, except markup of its own macros."""
    if type(value) is str:
        return shown(value)
    return value


def _raw(text: str) -> _Raw:
    return _Raw(text.encode("utf-8", "replace").decode())


@cache
def templates() -> Environment:
    """Return the templates; all that they put out is escaped."""
    found = Environment(
        loader=PackageLoader("conformare.fleet.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A value that comes back to us in a form stays as it was; it is escaped all the same.
    found.filters["raw"] = _raw
    found.globals["strip_paths"] = strip_paths
    found.filters["iso"] = lambda ts: ts.strftime("%Y-%m-%dT%H:%M:%SZ")
    found.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    return found


@cache
def static_text(name: str) -> str:
    """Return the text of a file of `static/`."""
    return (files("conformare.fleet.page") / "static" / name).read_text(encoding="utf-8")


def static_markup(name: str) -> Markup:
    """Return a file of `static/`, which is ours or vendored, to stand in a page as it is."""
    return Markup(static_text(name))  # noqa: S704 - not from a run
