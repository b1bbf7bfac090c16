"""Keeps the fetched jars of this machine, so that they are resolved once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from conformare_schemas.settings import in_force
from conformare_sink.errors import JarResolutionError
from conformare_sink.spark.jars import _ivy
from conformare_sink.spark.jars._sets import JarSet
from conformare_sink.spark.settings import CACHE_DIR

CACHE_VARIABLE = CACHE_DIR.variable
"""Names the folder of the cache; without it, the user's own cache folder is used."""

_MANIFEST = "manifest.json"


def cache_directory() -> Path:
    """Return the folder in which this machine's jars are kept."""
    chosen = in_force(CACHE_DIR).value
    return Path(chosen).absolute() if chosen else platformdirs.user_cache_path("conformare")


def jars_folder(jar_set: JarSet) -> Path:
    """Return the folder that a jar set has, or will have, in the cache."""
    return cache_directory() / "jars" / jar_set.key


def is_resolved(jar_set: JarSet) -> bool:
    """Whether `resolve_jars` would return at once."""
    return bool(_kept(jar_set))


def resolve_jars(jar_set: JarSet) -> tuple[Path, ...]:
    """Return the jars of a set, fetching them where this machine does not have them yet.

    Two processes that ask at the same time fetch once: the second waits for the first.

    Args:
        jar_set: One of `JAR_SETS`.

    Returns:
        The jars' absolute paths, sorted.

    Raises:
        JavaNotFoundError: They must be fetched, and there is no usable Java.
        JarResolutionError: They could not be fetched, or not be kept, or one of them is not the
            jar that was tested.
    """
    folder = jars_folder(jar_set)
    jars = _kept(jar_set)
    if jars:
        return jars
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder / "lock"):
            jars = _kept(jar_set)
            return jars or _fetch_into(folder, jar_set)
    except OSError as exc:
        raise JarResolutionError(jar_set.coordinates, folder, str(exc)) from exc


def _fetch_into(folder: Path, jar_set: JarSet) -> tuple[Path, ...]:
    work = folder / "ivy"
    fetched = _ivy.fetch(jar_set, work, folder / "resolve.log")
    try:
        _refuse_untested(fetched, jar_set, folder / "resolve.log")
    except JarResolutionError:
        # Ivy would take the wrong jar from its own cache the next time.
        shutil.rmtree(work, ignore_errors=True)
        raise
    sizes = {}
    for jar in sorted(fetched.iterdir()):
        sizes[jar.name] = jar.stat().st_size
        jar.replace(folder / jar.name)
    # The manifest comes last and whole, so a folder that has one has all its jars.
    manifest = {"coordinates": jar_set.coordinates, "bytes_by_jar": sizes}
    draft = folder / f"{_MANIFEST}.draft"
    draft.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    draft.replace(folder / _MANIFEST)
    shutil.rmtree(work, ignore_errors=True)
    return tuple(folder / name for name in sizes)


def _refuse_untested(fetched: Path, jar_set: JarSet, log_file: Path) -> None:
    """Raise unless each jar is, bit for bit, the one that was tested."""
    for jar in fetched.iterdir():
        if not _is_tested(jar, jar_set):
            cause = (
                f"{jar.name} is not the jar that was tested, its SHA-256 is {_sha256(jar)}; if "
                f"{_ivy.IVY_SETTINGS_VARIABLE} names a mirror, correct the mirror"
            )
            raise JarResolutionError(jar_set.coordinates, log_file, cause)


def _is_tested(jar: Path, jar_set: JarSet) -> bool:
    return jar_set.digests is None or jar_set.digests.get(jar.name) == _sha256(jar)


def _sha256(jar: Path) -> str:
    return hashlib.sha256(jar.read_bytes()).hexdigest()


def _kept(jar_set: JarSet) -> tuple[Path, ...]:
    """Return the jars of a complete folder; nothing where one is missing, cut short or another.

    Each is looked at again, which takes some hundredths of a second: an older release has not checked
    what it fetched, and others may be able to write to a cache.
    """
    folder = jars_folder(jar_set)
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        jars = {folder / name: size for name, size in manifest["bytes_by_jar"].items()}
        whole = all(jar.stat().st_size == size for jar, size in jars.items())
        good = whole and all(_is_tested(jar, jar_set) for jar in jars)
    except (OSError, ValueError, KeyError):
        return ()
    return tuple(jars) if good else ()


@contextmanager
def _exclusive(lock_file: Path) -> Iterator[None]:
    with lock_file.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
