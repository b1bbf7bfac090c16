"""A bench consists of parts, which are run one after the other beside one broker."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from bench.emission.broker import running_broker


def asked(parser: argparse.ArgumentParser, parts: Collection[str]) -> argparse.Namespace:
    """Return what the command line asks for; `parts` of it are those that are to be run."""
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; all")
    found = parser.parse_args()
    if unknown := set(found.parts) - set(parts):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    found.parts = found.parts or [*parts]
    return found


def run(parts: Mapping[str, Callable[..., None]], *more: Any) -> None:
    """Run parts, and print how long all of them took.

    Args:
        parts: Each is called with the broker, which is up, and a folder, and prints what it found.
        more: What it is called with beside these.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_broker(folder / "broker") as broker:
            for part, measure in parts.items():
                print(f"\n{part} (load {os.getloadavg()[0]:.1f} at its start)", flush=True)
                measure(broker, folder, *more)
    print(f"\nall in {time.perf_counter() - start:.0f} s")
