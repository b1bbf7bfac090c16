"""What the tests of settings share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own."""
    for name in os.environ:
        if name.startswith("CONFORMARE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration file that nobody else can read."""

    def written(text: str) -> Path:
        file = tmp_path / "conformare.toml"
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    return written
