"""Files of ours that a server answers with; the URL of one changes with it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STATIC = (
    "page.css",
    "page.js",
    "icon.svg",
    *(
        f"vendored/{name}"
        for name in (
            "htmx.min.js",
            "uPlot.iife.min.js",
            "uPlot.min.css",
            "cytoscape.min.js",
            "cytoscape-dagre.min.js",
        )
    ),
)


class StaticFile(NamedTuple):
    """One of the files."""

    digest: str
    content: bytes
    media_type: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Return the files by name."""
    folder = files("conformare.fleet.page") / "static"
    contents = {name: (folder / name).read_bytes() for name in STATIC}
    return {
        name: StaticFile(
            hashlib.sha256(content).hexdigest()[:16], content, _TYPES[name[name.rindex(".") :]]
        )
        for name, content in contents.items()
    }


def static_url(name: str) -> str:
    """Return the URL of a file, which is the same for as long as the file is."""
    return f"/static/{static_files()[name].digest}/{name}"
