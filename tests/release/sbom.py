"""`make sbom`: everything that a release brings to a machine, as CycloneDX.

Libraries are those of an environment into which the wheel was installed; scripts of others on the page
and jars are added, with their digests.
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

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
DIGESTS = ROOT / "consumer" / "conformare_sink" / "spark" / "jars" / "tested.sha256"
VENDORED = ROOT / "producer/conformare/fleet/page/static/vendored/vendored.json"
EXTRAS = "sink,fleet,connect,expectations"
# The names that Ivy was told to give: [organisation]_[artifact]-[revision].jar
JAR = re.compile(r"(?P<group>[^_]+)_(?P<artifact>.+?)-(?P<version>\d.*)\.jar")


def libraries(constraint: Path) -> Bom:
    """What pip installs for a sink, with its page and checks."""
    with TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        wanted = [f"{ROOT}[{EXTRAS}]", "--constraint", str(constraint)]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
        subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip"], check=True)
        asked = subprocess.run(
            [
                *(sys.executable, "-m", "cyclonedx_py", "environment", python),
                *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library"),
            ],
            check=True,
            capture_output=True,
        )
    found: Bom = Bom.from_json(json.loads(asked.stdout))
    return found


def jars() -> Iterator[Component]:
    """The jars of Spark's connectors and of the embedded broker."""
    for line in DIGESTS.read_text(encoding="ascii").splitlines():
        digest, name = line.split("  ")
        parts = JAR.fullmatch(name)
        assert parts is not None, name
        group, artifact, version = parts.group("group", "artifact", "version")
        yield component(PackageURL("maven", group, artifact, version), digest)


def scripts() -> Iterator[Component]:
    """What others wrote on the fleet's page."""
    for package in json.loads(VENDORED.read_text(encoding="utf-8")):
        scope, _, name = package["name"].rpartition("/")
        digest = next(iter(package["files"].values()), None)
        yield component(PackageURL("npm", scope or None, name, package["version"]), digest)


def component(purl: PackageURL, sha256: str | None) -> Component:
    """A library that is not pip's."""
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
    return Component(
        type=ComponentType.LIBRARY,
        group=purl.namespace,
        name=purl.name,
        version=purl.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=hashes,
    )


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
