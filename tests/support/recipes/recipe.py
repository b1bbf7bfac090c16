"""A recipe, and what it records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
RECIPES = ROOT / "examples/recipes"

ORDERS = "id,day\n1,mon\n2,tue\n3,mon\n"
COUNTED = {"mon": 2, "tue": 1}

Record = dict[str, list[dict[str, Any]]]


def loaded(recipe: str) -> Any:
    """Return a recipe as a module."""
    spec = spec_from_file_location(Path(recipe).stem, RECIPES / recipe)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put_orders(folder: Path) -> Path:
    """Put the orders of a shop into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return folder


def recorded(folder: Path) -> list[Record]:
    """Return the records that the json writer has put into a folder, by their times."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in folder.rglob("*.json")]
    return sorted(found, key=lambda record: str(record["runs"][0]["ts"]))


def called(*command: object, store: Path, python: object = sys.executable, **env: str) -> str:
    """Call Python, with a store of the json writer; return what it has printed.

    Args:
        command: What follows `python`.
        store: The folder of the store.
        python: The Python, or another program.
        env: More of the environment.
    """
    done = subprocess.run(
        [str(python), *map(str, command)],
        env={
            **os.environ,
            "CONFORMARE_WRITER": "json",
            "CONFORMARE_PATH": str(store),
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
