"""Marquez from a checkout: no release of its server is on Maven Central, all that it needs is."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from conformare_sink.spark.jars import cache_directory

PARTS = ("clients/java", "api")
"""The parts of the repository that make a server, each after what it needs."""
BUILD_SECONDS = 900

_SET = re.compile(r"^\s*(\w+Version) = '([^']+)'", re.MULTILINE)
_NEEDED = re.compile(r"""^\s*implementation ["']([\w.-]+):([\w.-]+):([^"']+)["']""", re.MULTILINE)


def class_path(checkout: Path) -> str:
    """Return the class path of the server; build it where this machine does not have it.

    Args:
        checkout: A checkout of Marquez. It is not written to.
    """
    files = [checkout / "build.gradle", *(checkout / part / "build.gradle" for part in PARTS)]
    digest = sha256(b"".join(file.read_bytes() for file in files))
    for part in PARTS:
        for source in sorted((checkout / part / "src/main").rglob("*")):
            digest.update(source.read_bytes() if source.is_file() else b"")
    folder = cache_directory() / "marquez" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / "built"
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _fetch(folder, files)
            _compile(folder, checkout)
            built.touch()
    return f"{folder}/classes:{folder}/libraries/*"


def _fetch(folder: Path, files: Iterable[Path]) -> None:
    """Fetch the libraries that the build files name, into a local repository of their own."""
    texts = [file.read_text(encoding="utf-8") for file in files]
    versions = {name: version for text in texts for name, version in _SET.findall(text)}
    project = Element("project", xmlns="http://maven.apache.org/POM/4.0.0")
    of_project = {"modelVersion": "4.0.0", "groupId": "test", "artifactId": "marquez"}
    for name, value in {**of_project, "version": "1", "packaging": "pom"}.items():
        SubElement(project, name).text = value
    libraries = SubElement(project, "dependencies")
    for group, artifact, version in dict.fromkeys(
        found for text in texts for found in _NEEDED.findall(text)
    ):
        library = SubElement(libraries, "dependency")
        SubElement(library, "groupId").text = group
        SubElement(library, "artifactId").text = artifact
        SubElement(library, "version").text = versions.get(version.strip("${}"), version)
    (folder / "pom.xml").write_bytes(tostring(project))
    _run(
        *("mvn", "--quiet", "--batch-mode", "--file", folder / "pom.xml"),
        *(f"-Dmaven.repo.local={folder}/repository", "dependency:copy-dependencies"),
        f"-DoutputDirectory={folder}/libraries",
    )
    shutil.rmtree(folder / "repository")


def _compile(folder: Path, checkout: Path) -> None:
    classes = folder / "classes"
    (lombok,) = (folder / "libraries").glob("lombok-*.jar")
    for part in PARTS:
        main = checkout / part / "src/main"
        _run(
            *("javac", "-parameters", "-encoding", "UTF-8", "-nowarn", "--release", "17"),
            *("-cp", f"{classes}:{folder}/libraries/*", "-processorpath", lombok, "-d", classes),
            *(main / "java").rglob("*.java"),
        )
        shutil.copytree(main / "resources", classes, dirs_exist_ok=True)


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
