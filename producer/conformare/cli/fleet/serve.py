"""`conformare fleet serve`: the fleet as pages that are live."""

from __future__ import annotations

from pathlib import Path

from conformare._errors import FleetError
from conformare.cli.fleet._asked import Asked, fleet_command
from conformare.cli.fleet._output import tell
from conformare.cli.settings import ServeSettings
from conformare.fleet.page import serve as served


@fleet_command(ServeSettings)
def serve(asked: Asked[ServeSettings]) -> None:
    """Serve live pages of the fleet, until Ctrl-C."""
    given = asked.settings
    served(
        asked.fleet,
        host=given.host,
        port=given.port,
        token=given.token if given.token_file is None else _token(given.token_file),
        hosts=given.allow_host,
        told=lambda url: tell(f"serving {asked.fleet.store.place} at {url}"),
    )


def _token(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise FleetError(f"the token cannot be read from {file}: {why}") from exc
    token = lines[0].strip() if lines else ""
    if not token:
        raise FleetError(f"{file} has no token: write one on its first line")
    return token
