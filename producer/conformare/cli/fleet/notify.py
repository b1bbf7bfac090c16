"""`conformare fleet notify`: what has changed since the last report, once."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from conformare.cli.fleet._asked import Asked, UnansweredError, fleet_command
from conformare.cli.fleet._output import show_line
from conformare.cli.settings import NotifySettings
from conformare.fleet.notify import (
    Change,
    HttpPost,
    StateFile,
    changes,
    is_address,
    signed,
    slack_messages,
    webhook_messages,
)
from conformare.fleet.questions import findings
from conformare_schemas import environment_variable


@fleet_command(NotifySettings)
def notify(asked: Asked[NotifySettings]) -> None:
    """Report what is new and what is resolved since the last report, grouped by owner.

    Exit code 1: the report was not accepted, and the next one repeats it.
    """
    given = asked.settings
    option, url = _address(given)
    secret = _secret(given) if option == "--webhook" else b""
    scope = _scope(asked)
    file = StateFile(given.state or _default_state(scope, url), scope)
    with file.held() as is_mine:
        if not is_mine:
            show_line("another report is on its way: it tells what has changed")
            return
        # Only now: what another report has told since would look resolved.
        if not asked.fleet.chosen(asked.filters):
            raise UnansweredError(f"{asked.nothing_fits}: nothing was reported")
        told = changes(file.reported, findings(asked.fleet, asked.filters))
        if not told:
            show_line("nothing has changed since the last report")
            return
        place = asked.fleet.store.place
        post = HttpPost(url, "Slack" if option == "--slack" else "the webhook")
        for part, body, headers in _messages(option, told, place, file.reports, secret):
            with file.advanced(part):
                post.send(body, headers)
    resolved = sum(change.what == "resolved" for change in told)
    show_line(f"reported: {len(told) - resolved} new, {resolved} resolved")


def _messages(
    option: str, told: list[Change], place: str, reports: int, secret: bytes
) -> Iterator[tuple[list[Change], bytes, Mapping[str, str]]]:
    if option == "--slack":
        for part, body in slack_messages(told, place):
            yield part, body, {}
        return
    for part, body in webhook_messages(told, place, reports):
        yield part, body, signed(body, secret, int(time.time()))


def _address(settings: NotifySettings) -> tuple[str, str]:
    """Return which option names whom to tell, and the URL: options go before all else."""
    options = {"--webhook": settings.to_webhook, "--slack": settings.to_slack}
    if not any(options.values()):
        options = {"--webhook": settings.webhook, "--slack": settings.slack}
    given = {option: text for option, text in options.items() if text is not None}
    if len(given) != 1:
        raise typer.BadParameter(
            f"say whom to tell, by one of --webhook ({environment_variable('webhook')}) or --slack "
            f"({environment_variable('slack')})"
        )
    ((option, text),) = given.items()
    url = _content(Path(text[1:]), option) if text.startswith("@") else text
    if not is_address(url):
        raise typer.BadParameter(
            f"{option} is no URL to post to: it is like https://host/path, with no user in it; it is "
            "not shown, for it is a secret"
        )
    return option, url


def _secret(settings: NotifySettings) -> bytes:
    file = settings.secret_file
    secret = settings.webhook_secret if file is None else _content(file, "--secret-file")
    if not secret:
        raise typer.BadParameter(
            "--webhook signs what it sends: put a secret into "
            f"{environment_variable('webhook_secret')}, or into a --secret-file"
        )
    return secret.encode()


def _content(file: Path, option: str) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        why = (exc.strerror if isinstance(exc, OSError) else None) or "it is not a text"
        raise typer.BadParameter(f"{option}: {file} cannot be read: {why}") from exc


def _scope(asked: Asked[NotifySettings]) -> dict[str, Any]:
    """Return what a report is about; a path is the same from whichever folder it is named."""
    lake = asked.settings.lake
    lake = lake if "://" in lake else str(Path(lake).resolve())
    filters = asked.filters
    return {
        "lake": lake,
        "table_prefix": asked.settings.table_prefix,
        "pipeline": filters.pipeline,
        "env": filters.env,
        "owner": filters.owner,
        "tags": dict(sorted(filters.tags.items())),
    }


def _default_state(scope: Mapping[str, Any], url: str) -> Path:
    # The command line of a job's machine has the spool; it takes a moment to import.
    from conformare.emission.spool import default_spool_folder

    try:
        folder = default_spool_folder().parent / "notify"
    except RuntimeError as exc:
        raise typer.BadParameter(f"there is no folder for the state ({exc}): give --state") from exc
    digest = hashlib.sha256(json.dumps([scope, url]).encode()).hexdigest()
    return folder / f"{digest[:32]}.json"
