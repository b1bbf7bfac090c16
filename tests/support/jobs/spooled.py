"""Runs in a spool: as a process that has ended leaves them, or as a running one holds them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from conformare.emission.spool import Destination, Spool
from support.messages.produce import emission_of
from support.messages.records import make_record

DESTINATION = Destination("127.0.0.1:1", "conformare.")
MAX_BYTES = 2**30


def hold(
    root: Path, run_ids: Iterable[str], destination: Destination = DESTINATION
) -> tuple[Spool, list[Path]]:
    """Spool runs, and return the spool of the process that goes on to hold them."""
    spool = Spool(root, destination, MAX_BYTES)
    return spool, [spool.put(emission_of(make_record(run_id))) for run_id in run_ids]


def leave(
    root: Path,
    *run_ids: str,
    destination: Destination = DESTINATION,
    cause: str | None = None,
) -> list[Path]:
    """Spool runs as one process that has ended; its files, oldest first."""
    spool, files = hold(root, run_ids, destination)
    spool.say_why(cause)
    spool.leave()
    return files


def reject(root: Path, run_id: str, cause: str, destination: Destination = DESTINATION) -> None:
    """Keep a run as one that brokers refuse for good."""
    Spool(root, destination, MAX_BYTES).reject(emission_of(make_record(run_id)), cause)


def contents(root: Path) -> dict[str, bytes]:
    """Return the emissions in a spool by name, whatever folders they are in."""
    return {file.name: file.read_bytes() for file in root.rglob("*.emission")}
