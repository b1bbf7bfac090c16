"""What `conformare doctor` looks at on a job's machine: the writer's settings and the spool."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import NamedTemporaryFile

from rich.filesize import decimal

from conformare._errors import SpoolError, StoreConfigurationError
from conformare._options import given, made_options
from conformare.emission.settings import KafkaOptions
from conformare.emission.spool import default_spool_folder, require_own
from conformare.emission.spool._folder import process_folders, subfolders
from conformare.emission.spool._inventory import Where, take_inventory
from conformare_schemas.findings import Asked, Finding, Role
from conformare_schemas.settings import definitions

SETTINGS, SPOOL = "settings of the job", "spool"

ANY_BROKER = "localhost:9092"
"""Where none is named, the other settings are judged all the same: nothing is connected to."""
LEAST_FREE_BYTES = 100 * 2**20
"""With less room on the disk, a day without a broker may fill it."""
FULL = 0.9
"""A spool that is so full takes no more runs soon."""


def look(asked: Asked) -> Iterator[Finding]:
    """Look at what a job would be told by the environment, and at its spool."""
    if asked.role is Role.SINK:
        root = _folder()
        if root is None or not os.path.exists(root):  # noqa: PTH110 - it never raises
            yield Finding.unchecked(SPOOL, "no job of this user has kept runs on this machine")
            return
        yield from _spool(root, None)
        return
    options = None
    try:
        options = made_options(
            KafkaOptions,
            "kafka",
            {
                "topic_prefix": asked.topic_prefix,
                "bootstrap_servers": asked.bootstrap_servers or ANY_BROKER,
            },
        )
    except StoreConfigurationError as exc:
        told = f"{exc}. `conformare config show` says where it comes from"
        yield Finding.mend(SETTINGS, told)
    else:
        yield Finding.good(
            SETTINGS, "what is set for the writer kafka can be used; a job may give more in Python"
        )
    root = _folder(options)
    if root is None:
        yield Finding.mend(
            SPOOL, "this user has no home, so there is no spool: name CONFORMARE_SPOOL_DIR"
        )
    elif options is not None and options.durability == "memory":
        yield Finding.advice(
            SPOOL,
            "durability is memory: a run is lost with its process; leave CONFORMARE_DURABILITY out",
        )
    else:
        yield from _spool(root, options)


def _folder(options: KafkaOptions | None = None) -> Path | None:
    try:
        if options is not None:
            return options.spool_folder
        setting = next(one for one in definitions(KafkaOptions) if one.name == "spool_dir")
        named = given(setting).value
        return Path(named).expanduser() if named else default_spool_folder()
    except RuntimeError:
        return None


def _spool(root: Path, options: KafkaOptions | None) -> Iterator[Finding]:
    try:
        yield _ownership(root)
    except SpoolError as exc:
        yield Finding.mend(SPOOL, str(exc))
        return
    except OSError as exc:
        yield Finding.mend(
            SPOOL,
            f"{exc.filename} cannot be looked at ({exc.strerror}): let this user read it, or name "
            "another CONFORMARE_SPOOL_DIR",
        )
        return
    try:
        yield from _waiting(root, options)
    except SpoolError as exc:
        yield Finding.mend(
            SPOOL, f"{exc}: let this user read it, or name another CONFORMARE_SPOOL_DIR"
        )


def _ownership(root: Path) -> Finding:
    """Return whether the spool is this user's alone, and can be written."""
    require_own(root)  # what is in that of another user, nobody can list
    require_own(*subfolders(root), *process_folders(root))
    if not root.exists():
        parent = next(one for one in root.absolute().parents if one.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return Finding.good(SPOOL, f"there is no {root} yet, and this user may make it")
        raise SpoolError(
            f"there is no {root}, and this user may not make it: let it write {parent}, or name another "
            "CONFORMARE_SPOOL_DIR"
        )
    try:
        with NamedTemporaryFile(prefix=".doctor-", dir=root) as tried:
            tried.write(b"conformare doctor")
            tried.flush()
            os.fsync(tried.fileno())
    except OSError as exc:
        raise SpoolError(
            f"{root} cannot be written ({exc.strerror}): make room or let this user write it, or name "
            "another CONFORMARE_SPOOL_DIR"
        ) from exc
    return Finding.good(SPOOL, f"{root} is this user's alone, and was written to")


def _waiting(root: Path, options: KafkaOptions | None) -> Iterator[Finding]:
    count: Counter[Where] = Counter()
    damaged = used = 0
    oldest = now = datetime.now(timezone.utc)
    for entry in take_inventory(root):
        count[entry.where] += 1
        damaged += entry.damage is not None
        used += entry.size_bytes
        oldest = min(oldest, entry.recorded_at)
    yield from judge_runs(root, count, damaged, now - oldest)
    limit = None if options is None else options.spool_max_bytes
    yield from judge_space(root, used, _free(root), limit)


def judge_runs(
    root: Path, count: Counter[Where], damaged: int, age: timedelta
) -> Iterator[Finding]:
    """Yield what is to be done about the runs that wait.

    Args:
        root: The spool's folder.
        count: How many wait with whom.
        damaged: How many of them cannot be read.
        age: How long the oldest has waited.
    """
    where = f"--spool-dir {root}"
    if count["left"]:
        yield Finding.mend(
            SPOOL,
            f"{count['left']} run(s) of ended jobs wait in {root}: send them by "
            f"`conformare spool send`; `conformare spool list {where}` says why they wait",
        )
    if count["rejected"]:
        yield Finding.mend(
            SPOOL,
            f"brokers rejected {count['rejected']} run(s) in {root}: `conformare spool list` says why; "
            "mend that, then call `conformare spool send --rejected`",
        )
    if damaged:
        yield Finding.mend(
            SPOOL,
            f"{damaged} file(s) in {root} cannot be read: `conformare spool list` names them; delete them",
        )
    if not count:
        yield Finding.good(SPOOL, f"no run waits in {root}")
    elif count["held"]:
        told = f"{count['held']} run(s) wait with running jobs, the oldest run for {_whole(age)}"
        yield Finding.good(SPOOL, told)


def judge_space(root: Path, used: int, free: int, limit: int | None) -> Iterator[Finding]:
    """Yield whether there is room for runs that come.

    Args:
        root: The spool's folder.
        used: What waits there, in bytes.
        free: What the disk still takes, in bytes.
        limit: What the spool may take, in bytes; None where no job was asked.
    """
    told = f"{decimal(used)} used, {decimal(free)} free on the disk of {root}"
    if limit is not None:
        told += f", {decimal(limit)} allowed"
    if free < LEAST_FREE_BYTES:
        yield Finding.mend(SPOOL, f"{told}: make room there, or name another CONFORMARE_SPOOL_DIR")
    elif limit is not None and used >= FULL * limit:
        yield Finding.mend(
            SPOOL, f"{told}: call `conformare spool send`, or set CONFORMARE_SPOOL_MAX_BYTES higher"
        )
    elif limit is not None and free < limit - used:
        yield Finding.advice(
            SPOOL,
            f"{told}: the disk is full before the spool is; set CONFORMARE_SPOOL_MAX_BYTES lower",
        )
    else:
        yield Finding.good(SPOOL, told)


def _free(root: Path) -> int:
    there = next(one for one in (root.absolute(), *root.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def _whole(age: timedelta) -> timedelta:
    return timedelta(seconds=round(max(0.0, age.total_seconds())))
