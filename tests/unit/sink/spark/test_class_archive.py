"""The archive of Spark's classes: when Java is told of it. A real one is met in the integration tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformare_sink.errors import ClassArchiveError
from conformare_sink.spark.class_archive import archive_file, java_options, make_archive
from conformare_sink.spark.jars import (
    CACHE_VARIABLE,
    IVY_SETTINGS_VARIABLE,
    SINK_JARS,
    jars_folder,
    resolve_jars,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache of mine"
    monkeypatch.setenv(CACHE_VARIABLE, str(folder))
    return folder


def put_archive() -> Path:
    """Put a file where the archive would be."""
    archive = archive_file()
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(b"classes")
    return archive


@pytest.mark.usefixtures("cache")
def test_java_is_told_of_an_archive_that_is_there() -> None:
    """Otherwise of none; the name may have spaces."""
    assert java_options() == ""
    archive = put_archive()
    assert java_options().startswith(f'"-XX:SharedArchiveFile={archive}" ')


def test_a_name_that_java_would_take_for_two_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Java would look for the part before the colon."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "a:b"))
    put_archive()
    assert java_options() == ""


@pytest.mark.usefixtures("cache")
def test_an_archive_that_is_there_is_not_made_again() -> None:
    """`make setup` asks each time."""
    archive = put_archive()
    assert make_archive() == archive
    assert archive.read_bytes() == b"classes"


@pytest.mark.usefixtures("cache")
def test_an_archive_of_jars_that_have_changed_is_not_told_and_goes() -> None:
    """Java would refuse it without a word, for good: so it was after Spark was installed again."""
    jar = jars_folder(SINK_JARS) / "one.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"classes")
    before = put_archive()
    os.utime(jar, (0, 0))
    assert java_options() == ""
    after = put_archive()
    make_archive()
    assert (before.exists(), after.exists()) == (False, True)


def test_archives_of_environments_that_are_gone_are_deleted(cache: Path, tmp_path: Path) -> None:
    """Each has most of 200 MB, and nobody would look for them."""
    put_archive()
    for name in ("gone", "there"):
        folder = cache / "class-archives" / name
        folder.mkdir()
        (folder / "spark").symlink_to(tmp_path / name)
    (tmp_path / "there").mkdir()
    make_archive()
    assert not (cache / "class-archives" / "gone").exists()
    assert (cache / "class-archives" / "there").exists()


def test_a_cache_that_cannot_be_written_is_a_readable_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an OSError with a traceback."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file" / "cache"))
    with pytest.raises(ClassArchiveError, match="Not a directory"):
        make_archive()


def test_a_run_that_fails_leaves_no_archive_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here for want of the broker's jars, which it would fetch."""
    (jar, *_) = resolve_jars(SINK_JARS)
    cache = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.setenv(IVY_SETTINGS_VARIABLE, "/nowhere/ivysettings.xml")
    (cache / "jars").mkdir(parents=True)
    jars_folder(SINK_JARS).symlink_to(jar.parent)
    done = subprocess.run(
        [sys.executable, "-m", "conformare_sink.spark.class_archive"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no archive of Spark's classes was made: ")
    assert done.stderr.count("\n") == 1
    assert not list(cache.rglob("*.jsa"))
