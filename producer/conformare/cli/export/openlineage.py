"""`conformare export openlineage`: each run once, as events of OpenLineage."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from conformare._errors import ConformareError
from conformare.cli.fleet._asked import unanswered
from conformare.cli.fleet._opening import opened
from conformare.cli.fleet._options import (
    Lake,
    StorageOptions,
    TablePrefix,
    moment_or_age,
    require_texts,
)
from conformare.cli.fleet._output import show_line, tell
from conformare.fleet.notify import is_address
from conformare.openlineage import (
    DEFAULT_NAMESPACE,
    DEFAULT_TABLES,
    Naming,
    export_runs,
    sent_runs,
)
from conformare.openlineage.targets import (
    DEFAULT_ENDPOINT,
    DEFAULT_TOPIC,
    FileTarget,
    HttpTarget,
    KafkaTarget,
    Target,
)
from conformare_schemas.store import StoreError, read_settings

API_KEY = "OPENLINEAGE_API_KEY"


class NotSentError(ConformareError):
    """Some runs were refused."""


def openlineage(
    lake: Lake,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="OPENLINEAGE_URL",
            metavar="URL|@FILE",
            help=f"Post to this server, such as http://marquez:5000. The key is in {API_KEY}.",
        ),
    ] = None,
    endpoint: Annotated[
        str,
        typer.Option(
            "--endpoint",
            envvar="OPENLINEAGE_ENDPOINT",
            help="Path of the server that takes events.",
        ),
    ] = DEFAULT_ENDPOINT,
    kafka: Annotated[
        str | None,
        typer.Option("--kafka", metavar="HOST:PORT,…", help="Produce to a topic of these brokers."),
    ] = None,
    topic: Annotated[str, typer.Option("--topic", help="The topic.")] = DEFAULT_TOPIC,
    kafka_settings: Annotated[
        Path | None,
        typer.Option(
            "--kafka-settings",
            metavar="FILE",
            help="Further settings of librdkafka, such as those to log in with: lines name=value.",
            show_default="those of jobs, in CONFORMARE_KAFKA",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="FILE", dir_okay=False, help="Append to this file, one event a line."
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=moment_or_age,
            metavar="TIME|SPAN",
            help="Not runs that took place before: an ISO 8601 time, or a span such as 7d.",
        ),
    ] = None,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace",
            envvar="OPENLINEAGE_NAMESPACE",
            help="Namespace of the jobs; a run's environment follows behind a full stop.",
        ),
    ] = DEFAULT_NAMESPACE,
    tables: Annotated[
        str,
        typer.Option(
            "--tables",
            help="Namespace of the tables of catalogs, such as hive://metastore:9083 or "
            "unitycatalog://host: as your other tools name them.",
        ),
    ] = DEFAULT_TABLES,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="Which runs were sent; a file of its own for each lake and receiver.",
            show_default="a file in your user's state, for each lake and receiver",
        ),
    ] = None,
    storage_options: StorageOptions = None,
    table_prefix: TablePrefix = "",
) -> None:
    """Send each run once, as a START and a COMPLETE or FAIL event of OpenLineage.

    Call it as often as you like: it sends what has landed since, late runs too. Marquez, DataHub and
    OpenMetadata then show the runs with their inputs, outputs, checks, owners and risks.
    """
    require_texts({**locals(), "since": None})
    where = _receiver(url, kafka, file)
    scope = {"lake": _place(lake), "table_prefix": table_prefix, **where}
    scope["below"] = topic if kafka else endpoint
    naming = Naming(namespace, tables)
    with unanswered():
        store = opened(lake, storage_options, table_prefix).store
    held = sent_runs(_default_state(scope) if state is None else state, scope)
    with held as sent, closing(_target(where, endpoint, topic, kafka_settings)) as target:
        exported = export_runs(store, sent, target, naming, since=since)
    show_line(f"sent: {_runs(exported.runs)}")
    for line in exported.refused:
        tell(line)
    if exported.refused:
        refused = _runs(len(exported.refused))
        raise NotSentError(f"refused: {refused}, which the next export tries again")


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _receiver(url: str | None, kafka: str | None, file: Path | None) -> dict[str, str]:
    """Return the one receiver that was named: its option and what it says."""
    named = {"--kafka": kafka, "--file": None if file is None else str(file.absolute())}
    given = {option: text for option, text in named.items() if text is not None}
    # The server may come from the environment, for other tools: what was typed goes before.
    if url is not None and not (given and os.environ.get("OPENLINEAGE_URL") == url):
        given["--url"] = _address(url)
    if len(given) != 1:
        raise typer.BadParameter("say where to, by one of --url, --kafka or --file")
    return given


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


def _target(
    where: Mapping[str, str], endpoint: str, topic: str, kafka_settings: Path | None
) -> Target:
    ((option, text),) = where.items()
    if option == "--url":
        return HttpTarget(text, endpoint, os.environ.get(API_KEY) or None)
    if option == "--file":
        return FileTarget(Path(text))
    try:
        settings = None if kafka_settings is None else read_settings(kafka_settings)
    except StoreError as exc:
        raise typer.BadParameter(str(exc)) from None  # the chain may have values
    return KafkaTarget(text, topic, settings)


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
