"""Each setting is defined once, and everything else follows from the definition."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from pydantic import Field

from conformare.cli._commands import application
from conformare_schemas.settings import About, Settings, definitions, known_models

ALL = [one for model in known_models() for one in definitions(model)]
OF_FILES = [one for one in ALL if one.is_of_file]
NO_TEXTS = (".png", ".svg", ".pyc")
TOLD = [one for one in ALL if one.name != "writer"]
"""The options of each writer have its own name in place of the setting."""


class Example(Settings):
    """Settings of this test."""

    port: Annotated[int, About(unit="steps")] = Field(
        default=7, alias="example_port", ge=1, le=1_000, description="Where it listens."
    )


def test_the_names_follow_from_the_field() -> None:
    """The alias is the setting's name, where Python has the field's for something else."""
    (one,) = definitions(Example)
    assert (one.name, one.field) == ("example_port", "port")
    assert (one.option, one.variable) == ("--example-port", "CONFORMARE_EXAMPLE_PORT")
    assert one.type_text == "integer from 1 to 1,000, in steps"
    assert (one.default_text, one.sentence) == ("7", "Where it listens.")


@pytest.mark.parametrize("one", TOLD, ids=lambda one: one.name)
def test_every_setting_says_what_it_means(one: Any) -> None:
    """In one sentence or two."""
    assert one.sentence.endswith(".")


def test_a_setting_means_the_same_wherever_it_is_used() -> None:
    """It has one sentence, one type and, where it need not be given, one default."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    defaults: dict[str, set[str]] = defaultdict(set)
    for one in OF_FILES:
        if one in TOLD:
            found[one.name].add((one.sentence, one.type_text))
            if not one.is_required and one.info.default is not None:
                defaults[one.name].add(one.default_text)
    assert {name: told for name, told in found.items() if len(told) > 1} == {}
    assert {name: told for name, told in defaults.items() if len(told) > 1} == {}


def test_every_option_that_the_environment_has_is_a_setting() -> None:
    """None is typed by hand beside its definition."""
    variables = {one.variable for one in ALL if one.about.has_variable} | {"CONFORMARE_CONFIG"}
    waiting: list[Any] = [typer.main.get_command(application([]))]
    options = []
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        options += [one for one in command.params if getattr(one, "envvar", None)]
    assert {one.envvar for one in options} <= variables
    assert len(options) > 100


@pytest.mark.parametrize(
    "name",
    [
        "deploy",
        "docker",
        "docker-compose.yml",
        "docs",
        "producer",
        "examples",
        "schemas",
    ],
)
def test_what_we_hand_out_sets_variables_that_exist(name: str) -> None:
    """A misspelt one would be ignored."""
    place = Path(__file__).parents[3] / name
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    texts = [one.read_text(encoding="utf-8") for one in files if one.suffix not in NO_TEXTS]
    found = {
        variable for text in texts for variable in re.findall(r"\bCONFORMARE_[A-Z_]*[A-Z]\b", text)
    }
    assert found
    assert found <= {one.variable for one in ALL} | {"CONFORMARE_CONFIG"}


def test_no_option_shows_a_secret_to_whoever_lists_processes() -> None:
    """Files and the environment have secrets; options name files."""
    given = {one.name for one in ALL if one.about.is_secret and one.about.has_option}
    by_file = {one.name for one in ALL if "@FILE" in (one.about.metavar or "")}
    assert given - by_file == {"kafka", "schema_registry"}  # a job's, which has no options


def test_an_option_that_takes_a_path_says_of_what() -> None:
    """To typer it is a text, so that help would call it one."""
    paths = [one for one in ALL if one.type is Path and one.about.has_option]
    assert [one.name for one in paths if one.about.metavar is None] == []


def test_a_job_without_extras_knows_every_setting() -> None:
    """It checks a file that it shares with the sink, and has neither typer nor Spark nor a lake."""
    program = """
import sys
absent = ["typer", "rich", "platformdirs", "pyspark", "deltalake", "pyarrow", "obstore", "jinja2",
          "starlette", "prometheus_client"]
sys.modules.update(dict.fromkeys(absent))
from conformare_schemas.settings import known_models
print(len([model for model in known_models() if not model.__module__.startswith("conformare_demo")]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 30
