"""`make sbom`: everything that a release brings to a machine, as CycloneDX.

Libraries are those of an environment into which the wheel was installed with all extras; scripts of
others on the page and in the documentation, and jars are added. Each has the SHA-256 of what is fetched.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
DIGESTS = ROOT / "consumer" / "conformare_sink" / "spark" / "jars" / "tested.sha256"
VENDORED = (
    ROOT / "producer/conformare/fleet/page/static/vendored/vendored.json",
    ROOT / "docs/assets/vendored.json",
)
EXTRAS = (
    *("spark", "cli", "sink", "parquet", "fleet", "openlineage"),
    *("connect", "metrics", "registry", "expectations"),
)
# The names that Ivy was told to give: [organisation]_[artifact]-[revision].jar
JAR = re.compile(r"(?P<group>[^_]+)_(?P<artifact>.+?)-(?P<version>\d.*)\.jar")


def libraries(constraint: Path) -> Bom:
    """What pip installs with every extra, with the digest of each file that it fetches."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python, report = f"{folder}/bin/python", Path(folder, "report.json")
        wanted = [f"{ROOT}[{','.join(EXTRAS)}]", "--constraint", str(constraint)]
        install = [python, "-m", "pip", "install", "--quiet", "--report", str(report), *wanted]
        subprocess.run(install, check=True)
        fetched = dict(digests(json.loads(report.read_text(encoding="utf-8"))))
        unasked = {"pip", "setuptools"} - fetched.keys()  # of the environment itself
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *unasked], check=True)
        asked = subprocess.run(
            [
                *(sys.executable, "-m", "cyclonedx_py", "environment", python),
                *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library"),
            ],
            check=True,
            capture_output=True,
        )
    found: Bom = Bom.from_json(json.loads(asked.stdout))
    for library in found.components:
        if digest := fetched.get(library.name.lower().replace("_", "-")):
            library.hashes.add(sha256(digest))
    return found


def digests(report: Any) -> Iterator[tuple[str, str]]:
    """The SHA-256 of what pip fetched for each library, by its name; a checkout has none."""
    for library in report["install"]:
        hashes = library["download_info"].get("archive_info", {}).get("hashes", {})
        if "sha256" in hashes:
            yield library["metadata"]["name"].lower().replace("_", "-"), hashes["sha256"]


def jars() -> Iterator[Component]:
    """The jars of Spark's connectors and of the embedded broker."""
    for line in DIGESTS.read_text(encoding="ascii").splitlines():
        digest, name = line.split("  ")
        parts = JAR.fullmatch(name)
        assert parts is not None, name
        group, artifact, version = parts.group("group", "artifact", "version")
        yield component(PackageURL("maven", group, artifact, version), digest)


def scripts() -> Iterator[Component]:
    """What others wrote on the fleet's page and in the documentation, with its files."""
    for package in (one for file in VENDORED for one in json.loads(file.read_bytes())):
        scope, _, name = package["name"].rpartition("/")
        found = component(PackageURL("npm", scope or None, name, package["version"]), None)
        found.components.update(
            Component(type=ComponentType.FILE, name=file, hashes=[sha256(digest)])
            for file, digest in package["files"].items()
        )
        yield found


def component(purl: PackageURL, digest: str | None) -> Component:
    """A library that is not pip's."""
    return Component(
        type=ComponentType.LIBRARY,
        group=purl.namespace,
        name=purl.name,
        version=purl.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[sha256(digest)] if digest else [],
    )


def sha256(digest: str) -> HashType:
    """A digest as CycloneDX writes it."""
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def main() -> None:
    """Write the list and say what it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--constraint", type=Path, required=True, help="versions of libraries")
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    arguments = parser.parse_args()
    bom = libraries(arguments.constraint)
    bom.components.update(jars())
    bom.components.update(scripts())
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    outputter = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6)
    outputter.output_to_file(str(arguments.output), allow_overwrite=True, indent=1)
    print(f"{arguments.output}: {len(bom.components)} components")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
