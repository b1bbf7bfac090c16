"""Scripts of others in the documentation are as they were released, and say whose they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs" / "assets"


def test_every_file_is_listed_with_its_digest_and_its_licence() -> None:
    """`make sbom` reads the same list."""
    found = set()
    for package in json.loads((FOLDER / "vendored.json").read_text(encoding="utf-8")):
        for name, digest in package["files"].items():
            assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
            assert package["version"] in name
            found.add(name)
        licence = (FOLDER / package["licence_file"]).read_text(encoding="utf-8")
        assert "Permission is hereby granted" in licence
        found.add(package["licence_file"])
    assert {file.name for file in FOLDER.iterdir()} == {*found, "vendored.json"}
