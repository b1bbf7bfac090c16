"""The demo's settings; free of what it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from conformare_schemas.settings import About, Settings


class DemoSettings(Settings):
    """Of `conformare demo`."""

    directory: Annotated[
        Path | None, About(option="--dir", metavar="FOLDER", default="a folder of your user's data")
    ] = Field(
        default=None,
        alias="demo_dir",
        description="Folder of the demo's data, and of a new lake for each time.",
    )


SETTINGS = (DemoSettings,)
