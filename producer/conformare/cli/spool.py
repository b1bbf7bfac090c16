"""`conformare spool`: what waits and why; send it now, or take it to another machine."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformare._errors import SpoolError
from conformare.cli._spool_table import as_json, print_entries
from conformare.cli.settings import (
    SpoolExportSettings,
    SpoolImportSettings,
    SpoolListSettings,
    SpoolSendSettings,
    SpoolSettings,
)
from conformare.emission._dispatch import Dispatch, Outcome, route
from conformare.emission.spool import default_spool_folder
from conformare.emission.spool._archive import (
    BadMember,
    read_archive,
    unpacked_bytes,
    write_archive,
)
from conformare.emission.spool._collection import Collection, collecting, usable_rejected
from conformare.emission.spool._file import file_name
from conformare.emission.spool._inventory import cause_file, take_inventory, waiting_names
from conformare_schemas.printable import printable
from conformare_schemas.settings.command_line import command_of

FAILURE = 1
REFRESH_SECONDS = 0.1
MOST_LINES = 50

app = typer.Typer(
    no_args_is_help=True,
    help="Manage the runs that wait on this machine's disk for their broker.",
)

# Names of pipelines and runs are anybody's: nothing in them is markup.
out = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _folder(settings: SpoolSettings) -> Path:
    try:
        return settings.spool_dir or default_spool_folder()
    except RuntimeError as exc:
        raise SpoolError(f"the spool has no folder ({exc}); use --spool-dir") from exc


@app.command("list")
@command_of(SpoolListSettings)
def list_waiting(given: SpoolListSettings) -> None:
    """Print which runs wait, for how long, in which process's folder, and why; nothing changes."""
    spool_dir, now = _folder(given), datetime.now(timezone.utc)
    entries = take_inventory(spool_dir)
    if given.json_lines:
        for entry in entries:
            typer.echo(json.dumps(as_json(entry, now)))
    else:
        print_entries(out, entries, spool_dir, now)


@app.command()
@command_of(SpoolSendSettings)
def send(given: SpoolSendSettings) -> None:
    """Send runs that ended processes left behind, with the login settings in CONFORMARE_KAFKA."""
    spool_dir, deadline = _folder(given), time.monotonic() + given.timeout_seconds
    # The last line tells it all; warnings in between would break the bar.
    logging.getLogger("conformare").addHandler(logging.NullHandler())
    with collecting(spool_dir) as collection:
        _gather(collection)
        if given.rejected:
            collection.gather_rejected()
        routes = {
            destination: route(destination, given.bootstrap_servers, given.topic_prefix)
            for destination in collection.destinations
        }
        collected = len(collection.files)
    dispatch = Dispatch(spool_dir, routes)
    taken = dispatch.start()
    # A running process may just have taken over what was let go of in between.
    held = collection.held + max(0, collected - taken)
    try:
        _await_delivery(dispatch, taken, deadline)
    finally:
        outcome = dispatch.close()
        out.print(_summary(outcome, held))
    stats = outcome.stats
    if stats.waiting or stats.rejected or stats.lost or collection.unusable:
        raise typer.Exit(FAILURE)


@app.command("export")
@command_of(SpoolExportSettings)
def export_archive(
    given: SpoolExportSettings,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A new archive.")],
) -> None:
    """Move waiting runs into an archive, for a machine that reaches the broker."""
    spool_dir = _folder(given)
    with collecting(spool_dir) as collection:
        _gather(collection)
        files = [*collection.files, *(usable_rejected(spool_dir) if given.rejected else ())]
        if files:
            write_archive(file, files)
            if not given.keep:
                for exported in files:
                    exported.unlink(missing_ok=True)
                    cause_file(exported).unlink(missing_ok=True)
    held = f"; {_held(collection.held)}" if collection.held else ""
    target = f"to {file}" if files else "and no archive written"
    out.print(f"{len(files)} run(s) exported {printable(target)}{held}")
    if collection.unusable:
        raise typer.Exit(FAILURE)


@app.command("import")
@command_of(SpoolImportSettings)
def import_archive(
    given: SpoolImportSettings,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="An archive that `export` made.")
    ],
) -> None:
    """Put the runs of an archive into the spool; the next job or `send` delivers them."""
    spool_dir = _folder(given)
    known = waiting_names(spool_dir)
    imported = repeated = 0
    bad: list[str] = []
    with collecting(spool_dir, given.spool_max_bytes) as collection:
        collection.require_room(unpacked_bytes(file, known))
        for member in read_archive(file):
            if isinstance(member, BadMember):
                bad.append(f"{member.name!r}: {member.why}")
                continue
            name = file_name(member.spooled.emission)
            if name in known:
                repeated += 1
                continue
            collection.put(member.spooled, member.content)
            known.add(name)
            imported += 1
        brokers = sorted({place.bootstrap_servers for place in collection.destinations})
    _tell_faults(bad)
    target = f" for {'; '.join(brokers)}" if brokers else ""
    there = f"; {repeated} were in the spool already" if repeated else ""
    faults = f"; {len(bad)} cannot be imported" if bad else ""
    out.print(printable(f"{imported} run(s) imported{target}{there}{faults}"))
    if bad:
        raise typer.Exit(FAILURE)


def _gather(collection: Collection) -> None:
    collection.gather()
    _tell_faults(f"{path}: {why}" for path, why in collection.unusable)


def _tell_faults(faults: Iterable[str]) -> None:
    for number, fault in enumerate(faults):
        if number == MOST_LINES:
            err.print("error: and so on")
            return
        err.print(printable(f"error: {fault}"))


def _await_delivery(dispatch: Dispatch, taken: int, deadline: float) -> None:
    if not taken:
        return
    columns = (TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if not err.is_terminal:
        err.print(f"sending {taken} run(s)")
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=taken)
        while (left := dispatch.undelivered()) and (rest := deadline - time.monotonic()) > 0:
            # Others may end meanwhile, and their runs be sent as well.
            taken = max(taken, left)
            progress.update(task, total=taken, completed=taken - left)
            dispatch.wait(min(rest, REFRESH_SECONDS))
        progress.update(task, completed=taken - left)


def _summary(outcome: Outcome, held: int) -> str:
    stats = outcome.stats
    parts = [f"{stats.delivered} run(s) delivered", f"{stats.waiting} wait"]
    if outcome.troubles:
        whys = "; ".join(f"{brokers}: {why}" for brokers, why in outcome.troubles.items())
        parts[-1] += f" ({whys})"
    if stats.rejected:
        parts.append(f"{stats.rejected} rejected")
    parts.extend(f"{times} lost ({reason})" for reason, times in stats.lost.items())
    if held:
        parts.append(_held(held))
    return printable(", ".join(parts))


def _held(held: int) -> str:
    return f"{held} belong to running processes, which send them themselves"
