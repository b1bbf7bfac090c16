"""Which room may import which: read from the files, nothing is imported."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NEVER = [  # folder, and what nothing in it imports
    ("schemas/conformare_schemas", ("conformare", "conformare_sink", "conformare_demo")),
    ("producer/conformare", ("conformare_sink", "conformare_demo")),
    ("consumer/conformare_sink", ("conformare", "conformare_demo")),
    (
        "producer/conformare/capture",
        ("conformare.record", "conformare.emission", "conformare.writers"),
    ),
    ("producer/conformare/record", ("conformare.emission", "conformare.writers")),
    *(
        (f"producer/conformare/{room}", ("conformare.cli", "typer", "rich"))
        for room in (
            *("capture", "record", "emission", "writers", "testing"),
            *("fleet", "openlineage"),
        )
    ),
    *(
        (f"producer/conformare/{room}", ("conformare.fleet",))
        for room in ("capture", "record", "writers")
    ),
    *(
        (
            f"producer/conformare/fleet/{room}",
            tuple(f"conformare.fleet.{other}" for other in others),
        )
        for room, others in {
            "stores": ("_fleet", "questions", "page", "notify"),
            "questions": ("page", "notify", "stores._lake", "stores._delta", "stores._files"),
            "notify": ("page", "stores"),
        }.items()
    ),
    *(
        (f"producer/conformare/{room}", ("openlineage", "conformare.openlineage"))
        for room in ("capture", "record", "emission", "writers", "testing", "fleet")
    ),
    (
        "producer/conformare/openlineage",
        tuple(f"conformare.fleet.{other}" for other in ("_fleet", "questions", "page", "notify")),
    ),
    ("producer/conformare/fleet/questions", ("deltalake", "pyarrow", "starlette", "jinja2")),
    *(
        (f"consumer/conformare_sink/{room}", tuple(f"conformare_sink.{other}" for other in others))
        for room, others in {
            "messages": (
                "kafka",
                "spark",
                "lake",
                "landing",
                "executors",
                "stream",
                "monitoring",
                "cli",
                "options",
            ),
            "kafka": ("spark", "lake", "landing", "executors", "stream", "monitoring", "cli"),
            "spark": (
                "kafka",
                "lake",
                "landing",
                "executors",
                "stream",
                "monitoring",
                "cli",
                "options",
            ),
            "lake": ("kafka", "landing", "executors", "stream", "monitoring", "cli"),
            "landing": ("kafka", "lake", "executors", "stream", "monitoring", "cli"),
            "executors": ("kafka", "stream", "monitoring", "cli"),
            "registry": (
                "kafka",
                "spark",
                "lake",
                "landing",
                "executors",
                "stream",
                "monitoring",
                "cli",
                "options",
            ),
            "monitoring": ("kafka", "lake", "executors", "stream", "cli"),
            "stream": ("monitoring.endpoint", "cli", "doctor"),
            "doctor": ("landing", "executors", "stream", "monitoring", "cli"),
            "broker": ("kafka", "lake", "landing", "stream", "monitoring", "cli", "messages"),
        }.items()
    ),
    ("schemas/conformare_schemas/store", ("pyspark", "deltalake", "obstore")),
    ("schemas/conformare_schemas/registry", ("confluent_kafka",)),
    ("consumer/conformare_sink/messages", ("conformare_sink.registry", "urllib3")),
    ("consumer/conformare_sink/messages", ("pyspark", "deltalake", "confluent_kafka", "obstore")),
    ("consumer/conformare_sink/spark", ("deltalake", "confluent_kafka", "obstore")),
    ("consumer/conformare_sink/kafka", ("deltalake", "obstore")),
]
PACKAGES = ["schemas/conformare_schemas", "producer/conformare", "consumer/conformare_sink"]


@cache
def imports(file: Path) -> frozenset[str]:
    """Every name that a module imports, wherever in it, with its module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return frozenset(found)


@pytest.mark.parametrize(("folder", "forbidden"), NEVER)
def test_a_room_never_imports_what_lies_above_it(folder: str, forbidden: tuple[str, ...]) -> None:
    """Nor lazily."""
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    beginnings = tuple(f"{name}." for name in forbidden)
    found = {(file.name, name) for file in files for name in imports(file)}
    assert {(file, name) for file, name in found if f"{name}.".startswith(beginnings)} == set()


@pytest.mark.parametrize("folder", PACKAGES)
def test_no_rooms_import_each_other_in_a_circle(folder: str) -> None:
    """On whichever floor of the house; a circle raises CycleError, which names it."""
    package = ROOT / folder
    named = {file: imports(file) for file in package.rglob("*.py")}
    for room in {file.parent for file in named}:
        beginning = ".".join(room.relative_to(package.parent).parts) + "."
        inside = {path.stem for path in room.iterdir()}
        arrows: dict[str, set[str]] = {name: set() for name in inside}
        for file in room.rglob("*.py"):
            one = file.relative_to(room).parts[0].removesuffix(".py")
            others = {
                name.removeprefix(beginning).partition(".")[0]
                for name in named[file]
                if name.startswith(beginning)
            }
            # What is no room comes out of the package's own door.
            arrows[one] |= {other if other in inside else "__init__" for other in others} - {one}
        TopologicalSorter(arrows).prepare()
