"""How much a module and a folder may hold, and that no check is silenced without a reason."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("schemas", "producer", "consumer", "examples", "bench", "tests")

MOST_LINES = 400
MOST_MODULES = 14
"""In a folder, beside its `__init__.py`."""

SILENCED = re.compile(r"# (?:noqa: [A-Z0-9, ]+?|type: ignore\[[a-z, -]+\])(?P<reason> .+)?$")


@pytest.fixture(scope="module")
def modules() -> dict[Path, list[str]]:
    """The lines of every module, by its path in the repository."""
    files = (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
    return {file.relative_to(ROOT): file.read_text("utf-8").splitlines() for file in files}


def test_a_module_can_be_read_in_one_go(modules: dict[Path, list[str]]) -> None:
    """One that cannot has more than one idea."""
    long = {str(file): len(lines) for file, lines in modules.items() if len(lines) > MOST_LINES}
    assert long == {}


def test_a_folder_can_be_seen_at_a_glance(modules: dict[Path, list[str]]) -> None:
    """One that cannot hides rooms."""
    counts = Counter(file.parent for file in modules if file.name != "__init__.py")
    assert {str(folder): n for folder, n in counts.items() if n > MOST_MODULES} == {}


def test_what_silences_a_check_says_why(modules: dict[Path, list[str]]) -> None:
    """Behind it, or in a comment above."""
    found = {
        f"{file}:{number}"
        for file, lines in modules.items()
        for number, (above, line) in enumerate(zip(["", *lines], lines, strict=False), 1)
        if (silenced := SILENCED.search(line))
        if not silenced["reason"] and not above.lstrip().startswith("#")
    }
    assert found == set()
