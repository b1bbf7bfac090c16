"""What is in the distributions, and what their metadata say."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from release.environments import ROOT, Distributions

PACKAGES = {"conformare", "conformare_schemas", "conformare_sink"}
NEEDED = {
    "conformare/py.typed",
    "conformare_schemas/py.typed",
    "conformare_sink/py.typed",
    "conformare_schemas/v1/runs.avsc",
    "conformare_sink/spark/log4j2.properties",
    "conformare_sink/spark/jars/tested.sha256",
}


def names_in(wheel: Path) -> set[str]:
    """The files of a wheel."""
    with ZipFile(wheel) as opened:
        return set(opened.namelist())


@pytest.fixture(scope="module")
def metadata(distributions: Distributions) -> Message:
    """The metadata of the library's wheel."""
    with ZipFile(distributions.wheel) as opened:
        (name,) = (one for one in opened.namelist() if one.endswith(".dist-info/METADATA"))
        return Parser().parsestr(opened.read(name).decode())


def test_an_index_would_take_them(distributions: Distributions) -> None:
    """Warnings count: a description that cannot be shown is one."""
    files = sorted(map(str, distributions.wheel.parent.iterdir()))
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_job_installs_what_it_runs_and_nothing_else(distributions: Distributions) -> None:
    """No tests, no bench, no demo, no documentation."""
    names = names_in(distributions.wheel)
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert names >= NEEDED
    ends = {PurePosixPath(name).suffix for name in names if ".dist-info/" not in name}
    assert ends <= {
        *(".py", ".typed", ".avsc", ".properties", ".sha256", ".json"),
        *(".sql", ".html", ".css", ".js", ".svg", ".jinja", ".LICENSE"),
    }
    assert not {name for name in names if re.search(r"(^|/)(test_|conftest|bench)", name)}


def test_the_demo_is_apart(distributions: Distributions) -> None:
    """In a wheel of its own, with the licence."""
    names = names_in(distributions.demo)
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"conformare_demo"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_is_the_checkout(distributions: Distributions) -> None:
    """For those who package it for a system: its tests run, and look at all files of a checkout."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - whoever has a checkout has git
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    with tarfile.open(distributions.sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {*listed.stdout.splitlines()} - names == set()
    assert names - {*listed.stdout.splitlines()} == {"PKG-INFO"}


def test_the_metadata_say_whose_it_is_and_where_to_read(metadata: Message) -> None:
    """As an index shows it."""
    assert metadata["License-Expression"] == "Apache-2.0 AND MIT AND 0BSD"
    assert metadata["Author"] == "The conformare-stream authors"
    assert metadata["Requires-Python"] == ">=3.10"
    licences = set(metadata.get_all("License-File", []))
    assert "LICENSE" in licences
    assert len(licences) == 6
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", []))
    assert set(urls) == {"Homepage", "Documentation", "Changelog"}


def test_every_link_of_the_page_on_an_index_leads_to_the_site(metadata: Message) -> None:
    """There are no files beside it: a relative link, or a picture, would lead nowhere."""
    text = metadata.get_payload()
    assert isinstance(text, str)
    links = re.findall(r"\]\(([^)]*)\)", text)
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", []))
    assert f"{urls['Documentation']}/quickstart.html" in links
    assert f"{urls['Documentation']}/pictures/overview.png" in links
    assert [link for link in links if not link.startswith((f"{urls['Homepage']}/", "#"))] == []


def test_every_other_place_that_names_the_version_names_this_one(metadata: Message) -> None:
    """The demo, which goes with it, and the image of the Deployment."""
    version = metadata["Version"]
    demo = (ROOT / "examples" / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'^version = "(.*)"$', demo, re.MULTILINE) == [version]
    assert re.findall(r"conformare-stream\[[\w,]+\]==([\w.]+)", demo) == [version]
    image = (ROOT / "deploy" / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8")
    assert re.findall(r"newTag: ([\w.]+)", image) == [version]


def test_the_pythons_that_are_named_are_those_that_are_tested(metadata: Message) -> None:
    """By the workflow, one by `.ci/run` and the others by `make test-python`."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tested = set(re.findall(r'"(3\.\d+)"', workflow)) | set(
        re.findall(r"container: python:(3\.\d+)-", workflow)
    )
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(metadata.get_all("Classifier", [])))
    assert set(named) == tested


def test_the_release_notes_begin_with_this_version(metadata: Message) -> None:
    """Whoever upgrades reads them."""
    notes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## (\S+?),? ", notes, re.MULTILINE)
    assert newest == metadata["Version"]
