"""Fetches jars with the Ivy that pyspark ships: no Maven, no Spark, no tool to install."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from conformare_schemas.settings import in_force
from conformare_sink.errors import JarResolutionError
from conformare_sink.spark.jars._sets import JarSet
from conformare_sink.spark.java import find_java
from conformare_sink.spark.settings import IVY_SETTINGS

# A resolver of our own, so that `~/.m2` and `~/.ivy2` are neither read nor written: Ivy gives up
# where a local Maven repository holds a .pom without its .jar, as a partial `mvn` run leaves it.
# "ibiblio" without a root is Ivy's name for Maven Central.
_IVY_SETTINGS = """\
<ivysettings>
  <settings defaultResolver="central"/>
  <timeout-constraints>
    <timeout-constraint name="bounded" connectionTimeout="20000" readTimeout="60000"/>
  </timeout-constraints>
  <resolvers>
    <ibiblio name="central" m2compatible="true" timeoutConstraint="bounded"/>
  </resolvers>
</ivysettings>
"""

IVY_SETTINGS_VARIABLE = IVY_SETTINGS.variable
"""Names an ivysettings.xml to use instead of ours: for a mirror, or a repository with a login."""

# A second try costs little, as Ivy keeps what the first one fetched.
_ATTEMPTS = 2


def fetch(jar_set: JarSet, work: Path, log_file: Path) -> Path:
    """Fetch a jar set and everything that it depends on.

    Args:
        jar_set: What to fetch.
        work: Folder for Ivy's own cache and settings; it is kept after a failure, so that the next
            call continues there.
        log_file: Takes Ivy's output.

    Returns:
        The folder, inside `work`, that holds the jars and nothing else.

    Raises:
        JavaNotFoundError: There is no usable Java.
        JarResolutionError: Something could not be fetched.
    """
    java = find_java()
    spark_jars = _spark_jars_folder(jar_set, log_file)
    (ivy_jar,) = spark_jars.glob("ivy-*.jar")
    jars = work / "jars"
    shutil.rmtree(jars, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    settings = work / "ivysettings.xml"
    settings.write_text(_IVY_SETTINGS, encoding="utf-8")
    module = work / "ivy.xml"
    module.write_text(_module_text(jar_set, spark_jars), encoding="utf-8")
    command = [
        *(str(java), "-Xmx256m", f"-Duser.home={work}"),
        *("-cp", str(ivy_jar), "org.apache.ivy.Main"),
        *("-settings", str(in_force(IVY_SETTINGS).value or settings)),
        *("-cache", str(work / "cache"), "-ivy", str(module), "-confs", "default"),
        # A "bundle" is a jar too, by the name that OSGi builds give it.
        *("-types", "jar", "bundle"),
        *("-retrieve", f"{jars}/[organisation]_[artifact]-[revision](-[classifier]).[ext]"),
    ]
    with log_file.open("wb") as log:
        for _ in range(_ATTEMPTS):
            done = subprocess.run(  # noqa: S603 - a list, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode == 0:
                return jars
    raise JarResolutionError(jar_set.coordinates, log_file, _cause(log_file))


def _spark_jars_folder(jar_set: JarSet, log_file: Path) -> Path:
    # find_spec: importing pyspark takes longer than all the rest of a later call.
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        cause = 'pyspark is not installed: pip install "conformare-stream[sink]"'
        raise JarResolutionError(jar_set.coordinates, log_file, cause)
    return Path(spec.origin).parent / "jars"


def _module_text(jar_set: JarSet, spark_jars: Path) -> str:
    # "master" is Ivy's name for what a Maven module itself publishes.
    wanted = "default" if jar_set.transitive else "master"
    dependencies = [
        '<dependency org="{}" name="{}" rev="{}" conf="default->{}"/>'.format(*c.split(":"), wanted)
        for c in jar_set.coordinates
    ]
    # Spark loads its own copy first in any case; without this, 200 MB are fetched for nothing.
    excludes = (
        [f'<exclude org="*" module="{name}"/>' for name in _artifact_names(spark_jars)]
        if jar_set.beside_spark
        else []
    )
    return "\n".join(
        [
            '<ivy-module version="2.0">',
            f'<info organisation="conformare" module="{jar_set.name}"/>',
            '<configurations><conf name="default"/></configurations>',
            "<dependencies>",
            *dependencies,
            *excludes,
            "</dependencies>",
            "</ivy-module>",
        ]
    )


def _artifact_names(folder: Path) -> list[str]:
    """Return the names of the jars of a folder, without their versions."""
    return sorted({re.sub(r"-\d[\w.+-]*$", "", jar.stem) for jar in folder.glob("*.jar")})


def _cause(log_file: Path) -> str:
    """Return the line of Ivy's log that says most: its summary repeats what failed."""
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [
        line.strip(" \t:") for line in lines if re.search(r"not found|FAILED|Exception", line)
    ]
    return telling[-1] if telling else "Ivy failed without saying why"
