"""The jars: which ones, and how they get into the cache and out of it again."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import pytest

from conformare_sink.errors import JarResolutionError, JavaNotFoundError
from conformare_sink.spark.jars import (
    DELTA_VERSION,
    DIGESTS_FILE,
    JAR_SETS,
    SINK_JARS,
    SPARK_VERSION,
    JarSet,
    cache_directory,
    is_resolved,
    jars_folder,
    resolve_jars,
)
from conformare_sink.spark.java import find_java

TINY = JarSet(name="tiny", coordinates=("org.example:tiny:1",), beside_spark=False)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of jars in a folder, with `TINY` in it, used instead of the network."""
    root = tmp_path / "mirror"
    module = root / "org" / "example" / "tiny" / "1"
    module.mkdir(parents=True)
    (module / "tiny-1.jar").write_bytes(b"jar")
    (module / "tiny-1.pom").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>"
        "<artifactId>tiny</artifactId><version>1</version></project>",
        encoding="utf-8",
    )
    settings = tmp_path / "mirror.xml"
    settings.write_text(
        '<ivysettings><settings defaultResolver="mirror"/><resolvers>'
        f'<ibiblio name="mirror" m2compatible="true" root="{root.as_uri()}/"/>'
        "</resolvers></ivysettings>",
        encoding="utf-8",
    )
    monkeypatch.setenv("CONFORMARE_IVY_SETTINGS", str(settings))
    return root


def fake_java(folder: Path, answer: str, exit_code: int = 0) -> Path:
    """Write a `bin/java` that answers like one; return its JAVA_HOME."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {exit_code}\n", encoding="utf-8")
    java.chmod(0o755)
    return folder


def test_the_jars_are_of_the_installed_versions_of_pyspark_and_delta() -> None:
    """Python and Java halves of other versions fail at run time, in strange ways."""
    assert {name: version(name) for name in ("pyspark", "delta-spark")} == {
        "pyspark": SPARK_VERSION,
        "delta-spark": DELTA_VERSION,
    }


def test_the_documentation_names_the_same_jars() -> None:
    """Somebody pastes them behind `--packages`."""
    text = (Path(__file__).parents[4] / "docs" / "howto" / "run-on-a-cluster.md").read_text(
        encoding="utf-8"
    )
    assert f"PACKAGES={','.join(SINK_JARS.coordinates)}\n" in text


def test_the_scala_version_is_that_of_pyspark() -> None:
    """A jar for another Scala fails at run time."""
    import importlib.util

    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "jars"
    (core,) = (jar.name for jar in folder.glob("spark-core_*.jar"))
    expected = {c.split(":")[1].rpartition("_")[2] for c in SINK_JARS.coordinates}
    assert {core.removeprefix("spark-core_").partition("-")[0]} == expected


def test_sets_of_other_versions_have_other_folders(cache: Path) -> None:
    """So a new version never meets the jars of the last one."""
    newer = JarSet(SINK_JARS.name, ("a:b:2",), SINK_JARS.beside_spark)
    folders = {jars_folder(jar_set) for jar_set in (*JAR_SETS, newer)}
    assert len(folders) == len(JAR_SETS) + 1
    assert {folder.parent for folder in folders} == {cache / "jars"}


def test_the_cache_is_the_users_own_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is taken once: a later change of folder does not move the cache."""
    monkeypatch.delenv("CONFORMARE_CACHE_DIR", raising=False)
    assert cache_directory().name == "conformare"
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", "somewhere")
    assert cache_directory() == Path.cwd() / "somewhere"


@pytest.mark.usefixtures("mirror")
def test_a_set_is_fetched_once_and_then_read_from_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time needs neither Java nor a network."""
    fetched = resolve_jars(TINY)
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert resolve_jars(TINY) == fetched == (jars_folder(TINY) / "org.example_tiny-1.jar",)
    assert fetched[0].read_bytes() == b"jar"
    assert not (jars_folder(TINY) / "ivy").exists()
    assert fetched[0].is_relative_to(cache)


@pytest.mark.usefixtures("cache")
def test_a_set_may_leave_out_what_its_jars_depend_on(mirror: Path) -> None:
    """Where only some of it is used, and the rest would take minutes to fetch."""
    pom = mirror / "org" / "example" / "tiny" / "1" / "tiny-1.pom"
    needs = (
        "<dependencies><dependency><groupId>org.example</groupId>"
        "<artifactId>not-there</artifactId><version>7</version></dependency></dependencies>"
    )
    text = pom.read_text(encoding="utf-8")
    pom.write_text(text.replace("</project>", f"{needs}</project>"), encoding="utf-8")
    with pytest.raises(JarResolutionError, match="not-there"):
        resolve_jars(TINY)
    alone = JarSet("alone", TINY.coordinates, beside_spark=False, transitive=False)
    assert [jar.name for jar in resolve_jars(alone)] == ["org.example_tiny-1.jar"]
    assert jars_folder(alone) != jars_folder(JarSet("alone", TINY.coordinates, beside_spark=False))


@pytest.mark.usefixtures("cache", "mirror")
@pytest.mark.parametrize("damage", [b"", b"something longer"], ids=["cut short", "other bytes"])
def test_a_damaged_jar_is_fetched_anew(damage: bytes) -> None:
    """A cache that was cleaned by half, or a full disk, must not break every later start."""
    (jar,) = resolve_jars(TINY)
    jar.write_bytes(damage)
    assert not is_resolved(TINY)
    assert resolve_jars(TINY) == (jar,)
    assert jar.read_bytes() == b"jar"


@pytest.mark.usefixtures("cache")
def test_a_jar_with_other_bytes_is_refused_in_one_line(mirror: Path) -> None:
    """A mirror was broken into, or somebody stands in between; the right jar is taken afterwards."""
    right = hashlib.sha256(b"jar").hexdigest()
    held = replace(TINY, digests={"org.example_tiny-1.jar": right})
    jar = mirror / "org" / "example" / "tiny" / "1" / "tiny-1.jar"
    jar.write_bytes(b"hostile")
    with pytest.raises(JarResolutionError, match="is not the jar that was tested") as raised:
        resolve_jars(held)
    assert hashlib.sha256(b"hostile").hexdigest() in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not is_resolved(held)
    jar.write_bytes(b"jar")
    assert resolve_jars(held)[0].read_bytes() == b"jar"


@pytest.mark.usefixtures("cache", "mirror")
def test_a_jar_of_the_cache_in_which_a_byte_has_changed_is_fetched_anew() -> None:
    """Also one that a release fetched which did not check it."""
    jars = resolve_jars(TINY)
    held = replace(TINY, digests={jars[0].name: hashlib.sha256(b"jar").hexdigest()})
    assert resolve_jars(held) == jars
    jars[0].write_bytes(b"bar")
    assert is_resolved(TINY)
    assert not is_resolved(held)
    assert resolve_jars(held) == jars
    assert jars[0].read_bytes() == b"jar"


@pytest.mark.usefixtures("cache", "mirror")
def test_a_jar_that_nobody_has_tested_is_refused() -> None:
    """A jar beside the expected ones would be on the class path like them."""
    with pytest.raises(JarResolutionError, match=r"org\.example_tiny-1\.jar is not the jar"):
        resolve_jars(replace(TINY, digests={}))


def test_every_jar_of_this_machine_is_one_that_was_tested() -> None:
    """The jars that the other tests run with, and no digest is left over from older versions."""
    found = {
        f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}"
        for jar_set in JAR_SETS
        for jar in resolve_jars(jar_set)
    }
    assert set(DIGESTS_FILE.read_text(encoding="ascii").splitlines()) == found


@pytest.mark.usefixtures("cache", "mirror")
def test_a_manifest_that_was_cut_short_counts_as_none() -> None:
    """Even though it is written under another name and moved."""
    resolve_jars(TINY)
    (jars_folder(TINY) / "manifest.json").write_text("{", encoding="utf-8")
    assert not is_resolved(TINY)
    assert len(resolve_jars(TINY)) == 1


@pytest.mark.usefixtures("cache", "mirror")
def test_two_processes_that_ask_at_once_get_the_same_jars() -> None:
    """The second one waits for the first."""
    with get_context("spawn").Pool(2) as pool:
        answers = pool.map(resolve_jars, [TINY, TINY])
        pool.close()
        pool.join()
    assert answers[0] == answers[1] == resolve_jars(TINY)


@pytest.mark.usefixtures("cache", "mirror")
def test_a_failure_names_the_coordinates_and_the_log_in_one_line() -> None:
    """And nothing counts as resolved after it."""
    missing = JarSet("missing", ("org.example:not-there:7",), beside_spark=False)
    with pytest.raises(JarResolutionError, match=r"org\.example:not-there:7") as raised:
        resolve_jars(missing)
    log = jars_folder(missing) / "resolve.log"
    assert str(log) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "not-there" in log.read_text(encoding="utf-8")
    assert not is_resolved(missing)


@pytest.mark.usefixtures("mirror")
def test_a_cache_that_cannot_be_written_is_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an OSError with a traceback."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONFORMARE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(JarResolutionError, match="Not a directory"):
        resolve_jars(TINY)


@pytest.mark.usefixtures("mirror")
def test_the_users_own_maven_and_ivy_folders_are_left_alone(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-filled ~/.m2 breaks Ivy; and what we fetch is nobody else's business."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    resolve_jars(TINY)
    assert list(home.iterdir()) == []
    assert cache.is_dir()


def test_the_module_prints_one_line_for_each_set() -> None:
    """What `make setup` and the Dockerfile call, here with a full cache."""
    lines = []
    for jar_set in JAR_SETS:
        jars = resolve_jars(jar_set)
        megabytes = sum(jar.stat().st_size for jar in jars) / 1_000_000
        lines.append(
            f"{jar_set.name}: {len(jars)} jars, {megabytes:.0f} MB, {jars_folder(jar_set)}"
        )

    def call(*names: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "conformare_sink.spark.jars", *names],
            capture_output=True,
            text=True,
            check=False,
        )

    assert call().stdout.splitlines() == lines
    assert len(call("broker").stdout.splitlines()) == 1
    wrong = call("nothing")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: unknown jar set 'nothing'; there are: sink, broker\n"


@pytest.mark.parametrize("answer", ['openjdk version "17.0.15" 2025-04-15', 'java version "21"'])
def test_a_supported_java_is_taken_from_java_home(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Spark looks for it."""
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path, answer)))
    assert find_java() == tmp_path / "bin" / "java"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ('openjdk version "1.8.0_402"', "is Java 8"),
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11"),
        ('openjdk version "25-ea" 2025-09-16', "is Java 25"),
        ("Segmentation fault", "does not tell its version"),
    ],
)
def test_another_java_is_refused_with_the_package_to_install(
    answer: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark itself would start and fail later, in many lines."""
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path, answer)))
    with pytest.raises(JavaNotFoundError, match=told) as raised:
        find_java()
    assert "openjdk-17-jre-headless" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_java_that_only_says_how_to_get_one_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, where /usr/bin/java is there without a Java."""
    home = fake_java(tmp_path, 'no version "17" here', exit_code=1)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(JavaNotFoundError, match="does not tell its version"):
        find_java()


@pytest.mark.parametrize("java_home", ["", "/nowhere"], ids=["PATH", "JAVA_HOME"])
def test_no_java_at_all_is_told_with_where_it_was_looked_for(
    java_home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAVA_HOME wins even when it is wrong, as it does for Spark."""
    monkeypatch.setenv("JAVA_HOME", java_home)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JavaNotFoundError, match=f"no Java in {'JAVA_HOME' if java_home else 'PA'}"):
        find_java()
