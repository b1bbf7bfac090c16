"""Where the archive is, how Java is told of it, and how it comes to be.

Half of the time that Spark takes to start goes into loading and verifying some twenty thousand
classes. Java can keep them as they are in memory (class data sharing): a program is run once and
leaves an archive of what it has loaded, which later starts map instead. Java itself refuses an
archive if anything on its class path has another size or time of change, and goes on without it:
so the name of an archive says what it was made of, and another one is made where that has changed.
"""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from conformare_sink.errors import ClassArchiveError
from conformare_sink.spark.jars import SINK_JARS, cache_directory, jars_folder, resolve_jars
from conformare_sink.spark.java import find_java

_SUFFIX = ".jsa"
_DRAFT = "draft"
_LOG = "training.log"
_TRAINING = "conformare_sink.cli._training"
"""Run as a program: it is a whole sink, which nothing in this room may import."""
_SPARK_LINK = "spark"
_SILENT = "-Xlog:cds*=off -Xlog:class+path=off"
"""An archive that does not fit is no news for who starts Spark."""


def archive_file() -> Path:
    """Return the archive of this Java and these jars as they are now, whether it is there or not.

    Raises:
        JavaNotFoundError: There is no Java that Spark supports.
    """
    spark = _spark_folder()
    runtime = find_java().resolve().parent.parent / "lib"
    made_of = [runtime / "modules", *_jars(spark / "jars"), *_jars(jars_folder(SINK_JARS))]
    return _archives() / _hash(spark, runtime) / f"{_hash(*map(_as_it_is, made_of))}{_SUFFIX}"


def java_options() -> str:
    """Return the options by which Java starts from the archive; none where there is no archive.

    Raises:
        JavaNotFoundError: There is no Java that Spark supports.
    """
    archive = archive_file()
    # Java takes a colon for the end of a file's name here.
    if ":" in str(archive) or not archive.is_file():
        return ""
    return f'"-XX:SharedArchiveFile={archive}" {_SILENT}'


def make_archive() -> Path:
    """Make the archive where it is not there yet, and return it; takes most of a minute.

    A sink is run on an embedded broker and its Java leaves the archive when it ends. Archives of
    jars that have changed, and of environments that are not there any more, are deleted.

    Raises:
        JavaNotFoundError: There is no Java that Spark supports.
        JarResolutionError: The jars are not on this machine and could not be fetched.
        ClassArchiveError: Java made no archive.
    """
    archive = archive_file()
    folder = archive.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not archive.is_file():
                resolve_jars(SINK_JARS)
                archive = archive_file()
                _train(archive)
            _delete_others(archive)
        _delete_abandoned()
    except OSError as exc:
        raise ClassArchiveError(folder, str(exc)) from exc
    return archive


def _train(archive: Path) -> None:
    folder = archive.parent
    link = folder / _SPARK_LINK
    link.unlink(missing_ok=True)
    link.symlink_to(_spark_folder())
    draft = folder / _DRAFT
    draft.unlink(missing_ok=True)
    log_file = folder / _LOG
    with log_file.open("wb") as log:
        done = subprocess.run(  # noqa: S603 - a module of ours
            [sys.executable, "-m", _TRAINING, str(draft)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0 or not draft.is_file():
        raise ClassArchiveError(log_file, _last_line(log_file))
    draft.replace(archive)


def _delete_others(archive: Path) -> None:
    for other in archive.parent.glob(f"*{_SUFFIX}"):
        if other != archive:
            other.unlink()


def _delete_abandoned() -> None:
    for folder in _archives().iterdir():
        link = folder / _SPARK_LINK
        if link.is_symlink() and not link.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _archives() -> Path:
    return cache_directory() / "class-archives"


def _spark_folder() -> Path:
    # find_spec: importing pyspark takes longer than all the rest of a later call.
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ClassArchiveError(
            _archives(), 'pyspark is not installed: pip install "conformare-stream[sink]"'
        )
    return Path(spec.origin).parent


def _jars(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jar"))


def _as_it_is(file: Path) -> str:
    """What Java compares of a file, too."""
    if not file.exists():
        return f"{file} is not there"
    there = file.stat()
    return f"{file} {there.st_size} {there.st_mtime}"


def _hash(*parts: object) -> str:
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]


def _last_line(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "Java has said nothing"
