"""What is set of this machine, whichever command runs; free of Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from conformare_schemas.settings import About, Settings, definitions


class MachineSettings(Settings):
    """Where the jars come from, and where they are kept."""

    cache_dir: Annotated[
        Path | None, About(has_option=False, default="a folder of your user's cache")
    ] = Field(
        default=None,
        description="Folder of the fetched jars, and of what the sink can do without.",
    )
    ivy_settings: Annotated[Path | None, About(has_option=False, default="Maven Central")] = Field(
        default=None, description="Settings of Ivy that the jars are fetched by, for a mirror."
    )


CACHE_DIR, IVY_SETTINGS = definitions(MachineSettings)
