"""`python -m support.reference` (with `tests` on the path, as `make reference` does) writes the pages."""

from __future__ import annotations

from support.reference.pages import FOLDER, PAGES

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
