"""`conformare export openlineage`: each run once, as events of OpenLineage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from conformare._errors import ConformareError
from conformare.cli.fleet._asked import unanswered
from conformare.cli.fleet._opening import opened
from conformare.cli.fleet._output import show_line, tell
from conformare.cli.settings import OpenlineageSettings
from conformare.fleet.notify import is_address
from conformare.openlineage import Naming, export_runs, sent_runs
from conformare.openlineage.targets import FileTarget, HttpTarget, KafkaTarget, Target
from conformare_schemas.settings.command_line import command_of
from conformare_schemas.store import StoreError, read_settings


class NotSentError(ConformareError):
    """Some runs were refused."""


@command_of(OpenlineageSettings)
def openlineage(given: OpenlineageSettings) -> None:
    """Send each run once, as a START and a COMPLETE or FAIL event of OpenLineage.

    Call it as often as you like: it sends what has landed since, late runs too. Marquez, DataHub and
    OpenMetadata then show the runs with their inputs, outputs, checks, owners and risks.
    """
    option, where = _receiver(given)
    scope = {
        "lake": _place(given.lake),
        "table_prefix": given.table_prefix,
        option: where,
        "below": given.topic if option == "--kafka" else given.endpoint,
    }
    naming = Naming(given.namespace, given.tables)
    with unanswered():
        store = opened(given.lake, given.storage_options, given.table_prefix).store
    held = sent_runs(given.state or _default_state(scope), scope)
    with held as sent, closing(_target(option, where, given)) as target:
        exported = export_runs(store, sent, target, naming, since=given.since)
    show_line(f"sent: {_runs(exported.runs)}")
    for line in exported.refused:
        tell(line)
    if exported.refused:
        refused = _runs(len(exported.refused))
        raise NotSentError(f"refused: {refused}, which the next export tries again")


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _receiver(given: OpenlineageSettings) -> tuple[str, str]:
    """Return the one receiver that was named, by its option: those typed go before that of the environment."""
    file = None if given.file is None else str(given.file.absolute())
    typed = {"--url": given.to_url, "--kafka": given.kafka, "--file": file}
    named = {option: text for option, text in typed.items() if text is not None}
    if not named and given.url is not None:
        named = {"--url": given.url}
    if len(named) != 1:
        raise typer.BadParameter("say where to, by one of --url, --kafka or --file")
    ((option, text),) = named.items()
    return option, _address(text) if option == "--url" else text


def _address(url: str) -> str:
    if url.startswith("@"):
        try:
            url = Path(url[1:]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as exc:
            why = (exc.strerror if isinstance(exc, OSError) else None) or "it is not a text"
            raise typer.BadParameter(f"--url: its file cannot be read: {why}") from exc
    if not is_address(url):
        raise typer.BadParameter(
            "--url is no URL to post to: it is like https://host, with no user in it; it is not "
            "shown, for it may be a secret"
        )
    return url


def _target(option: str, where: str, given: OpenlineageSettings) -> Target:
    if option == "--url":
        return HttpTarget(where, given.endpoint, _key(given.api_key))
    if option == "--file":
        return FileTarget(Path(where))
    try:
        settings = None if given.kafka_settings is None else read_settings(given.kafka_settings)
    except StoreError as exc:
        raise typer.BadParameter(str(exc)) from None  # the chain may have values
    return KafkaTarget(where, given.topic, settings)


def _key(told: str | None) -> str | None:
    """Return a key as a header may have it: one that was read from a file often ends with a line."""
    key = None if told is None else told.strip()
    if key is not None and not (key.isascii() and key.isprintable()):
        raise typer.BadParameter("openlineage_api_key must be printable ASCII")
    return key


def _place(lake: str) -> str:
    """Return a lake's place, the same from whichever folder it is named."""
    return lake if "://" in lake else str(Path(lake).resolve())


def _default_state(scope: Mapping[str, Any]) -> Path:
    # The command line of a job's machine has the spool; it takes a moment to import.
    from conformare.emission.spool import default_spool_folder

    try:
        folder = default_spool_folder().parent / "export"
    except RuntimeError as exc:
        raise typer.BadParameter(f"there is no folder for the state ({exc}): give --state") from exc
    digest = hashlib.sha256(json.dumps(scope, sort_keys=True).encode()).hexdigest()
    return folder / f"{digest[:32]}.sqlite"
