"""Packs what executors run our code with: a Python, this package, and what both need.

It is this very environment: the same Python, and the same versions as the driver has. Nothing is
fetched. A worker needs no Python of its own, but the same kind of machine: Linux of the same processor,
with a C library that is at least as new. What the interpreter links to comes along; pyspark does not,
for Spark gives it to its workers.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from conformare_sink.errors import PackError

DISTRIBUTION = "conformare-stream"
OURS = ("conformare_schemas", "conformare_sink")
NEEDED = ("fastavro", "numpy", "obstore", "pyarrow", "pydantic")
"""Distributions that tasks import, beside what these need themselves."""

_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LAUNCHER = f"""\
#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$here/packages${{PYTHONPATH:+:$PYTHONPATH}}" PYTHONNOUSERSITE=1
export LD_LIBRARY_PATH="$here/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
exec "$here/python/bin/{_PYTHON}" "$@"
"""
_EXECUTABLE = 0o755
_COMPRESSION = 3
"""Of gzip: what a higher one saves is a twentieth, and takes twice as long."""

_LEFT_OUT = re.compile(
    r"""
      (^|/)(__pycache__|tests?|include|idlelib|tkinter|turtledemo|ensurepip|lib2to3)/
    | ^(site|dist)-packages/ | ^config-
    | (^|/)(_test|_xxtest|_ctypes_test|xx|_tkinter|_curses|_g?dbm|readline|nis\.)[^/]*\.so$
    | ^pyarrow/[^/]*flight[^/]*\.so[.\d]*$
    | \.(pyc|pyx|pxd|pxi|pyi|h|hpp|c|cc|cpp|a)$
    """,
    re.VERBOSE,
)
"""What no task needs: tests, headers, editors, terminals, pyarrow's servers, and what is compiled again
anyway."""
_OF_C_LIBRARY = re.compile(r"(ld-linux|lib(c|m|dl|pthread|rt|util|resolv|anl)\.so)")
"""It belongs to the worker's own system: another one's would not fit its kernel and its loader."""
_LINKED = re.compile(r"^\s*(\S+) => (/\S+) \(", re.MULTILINE)


class Packed(NamedTuple):
    """An archive that was made."""

    archive: Path
    size: int
    """In bytes."""
    python: str
    """Version of its Python; a driver must have the same, but for the last number."""


def pack(archive: Path) -> Packed:
    """Write an archive for Spark's `--archives`, in which `bin/python` is the Python to use.

    Args:
        archive: The file, which is replaced where it exists; its name should end with `.tar.gz`.

    Raises:
        PackError: Something that belongs into it is not there, or the file cannot be written.
    """
    files = {**_interpreter(), **_packages()}
    files |= _libraries(files)
    draft = archive.with_name(f"{archive.name}.draft")
    try:
        with tarfile.open(draft, "w:gz", compresslevel=_COMPRESSION, dereference=True) as tar:
            launcher = tarfile.TarInfo("bin/python")
            launcher.mode, launcher.size = _EXECUTABLE, len(_LAUNCHER)
            tar.addfile(launcher, io.BytesIO(_LAUNCHER.encode()))
            for name, file in sorted(files.items()):
                tar.add(file, name, recursive=False, filter=_of_nobody)
        draft.replace(archive)
    except OSError as exc:
        raise PackError(f"{archive} cannot be written: {exc}") from exc
    finally:
        with suppress(OSError):
            draft.unlink()
    return Packed(archive, archive.stat().st_size, sys.version.split()[0])


def _interpreter() -> dict[str, Path]:
    """The files of this environment's Python, by their place in the archive."""
    program = Path(sys.base_prefix, "bin", _PYTHON)
    library = Path(sysconfig.get_path("stdlib"))
    if not program.is_file():
        raise PackError(f"there is no {program}, which this environment was made with")
    files = {str(file.relative_to(library)): file for file in _below(library)}
    place = PurePosixPath("python", sys.platlibdir, _PYTHON)
    return {
        f"python/bin/{_PYTHON}": program,
        **{str(place / name): file for name, file in files.items()},
    }


def _libraries(files: Mapping[str, Path]) -> dict[str, Path]:
    """The libraries of this system that programs link to, but for those of every Linux."""
    programs = [file for name, file in files.items() if name.endswith((".so", f"/bin/{_PYTHON}"))]
    try:
        asked = subprocess.run(  # noqa: S603 - files of this environment, no shell
            ["ldd", *programs],  # noqa: S607 - the system's own, wherever it is
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as exc:
        raise PackError("`ldd` is not there: pack on the Linux that the workers have") from exc
    packed = {file.name for file in files.values()}
    return {
        f"lib/{name}": Path(path)
        for name, path in _LINKED.findall(asked.stdout)
        if name not in packed and not _OF_C_LIBRARY.match(name)
    }


def _packages() -> dict[str, Path]:
    """The files of our packages and of those that they need, by their place in the archive."""
    found: dict[str, Path] = {}
    for name in OURS:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise PackError(f"{name} is not installed")
        folder = Path(spec.origin).parent
        found |= {f"{name}/{file.relative_to(folder)}": file for file in _below(folder)}
    for distribution in _needed():
        for file in distribution.files or ():
            # What leads out of the packages' folder is a program or its manual.
            if ".." not in file.parts and not _LEFT_OUT.search(str(file)):
                found[str(file)] = Path(str(file.locate()))
    # By it, a driver knows which version executors have.
    for file in importlib.metadata.files(DISTRIBUTION) or ():
        if file.name == "METADATA":
            found[str(file)] = Path(str(file.locate()))
    return {f"packages/{name}": file for name, file in found.items() if file.is_file()}


def _needed() -> list[importlib.metadata.Distribution]:
    """The distributions that tasks import, with what is installed of those that these need."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [*NEEDED]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as exc:
            if name in NEEDED:
                hint = 'pip install "conformare-stream[sink]"'
                raise PackError(f"{name} is not installed: {hint}") from exc
            continue  # of another version of Python, or of another system
        if found[name].files is None:
            raise PackError(f"it is not known which files {name} has: install it with pip")
        waiting += [
            re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            for requirement in found[name].requires or ()
            if "extra ==" not in requirement
        ]
    return [*found.values()]


def _below(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not _LEFT_OUT.search(str(file.relative_to(folder))):
            yield file


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
