"""`conformare fleet serve`: the fleet as pages that are live."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from conformare._errors import FleetError
from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import tell
from conformare.fleet.page import DEFAULT_PORT
from conformare.fleet.page import serve as served

TOKEN_VARIABLE = "CONFORMARE_FLEET_TOKEN"  # noqa: S105 - the name of a variable


@fleet_command("max_age")
def serve(
    asked: Asked,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            envvar="CONFORMARE_FLEET_HOST",
            help="Where to listen; beyond this machine's loopback a token is needed.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", envvar="CONFORMARE_FLEET_PORT", min=0, max=65535, help="0: any free one."
        ),
    ] = DEFAULT_PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            envvar="CONFORMARE_FLEET_TOKEN_FILE",
            metavar="FILE",
            help=f"File whose first line is the token that opens the pages; or set {TOKEN_VARIABLE}.",
            show_default="no token",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="A name that the server is reached by; may be given repeatedly.",
        ),
    ] = None,
) -> None:
    """Serve the fleet as pages in which a run appears as it lands, until Ctrl-C."""
    served(
        asked.fleet,
        host=host,
        port=port,
        token=_token(token_file),
        hosts=allow_host or (),
        told=lambda url: tell(f"serving {asked.fleet.store.place} at {url}"),
    )


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise FleetError(f"the token cannot be read from {file}: {why}") from exc
    token = lines[0].strip() if lines else ""
    if not token:
        raise FleetError(f"{file} has no token: write one on its first line")
    return token
