"""The same runs written by every writer: the json one, the parquet one, and into a lake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformare.record import utc_ts
from conformare.writers import make_writer
from conformare_schemas import EMISSION_COLUMN, GRAINS, SOURCE_RISKS
from support.fleet.invented import Emission

Record = dict[str, list[dict[str, object]]]


def records(emissions: Sequence[Emission]) -> list[Record]:
    """Return emissions that landed whole, as `to_run_record` would return them."""
    return [
        {
            grain: [
                {
                    name: utc_ts(value) if name == "ts" else value
                    for name, value in one.items()
                    if name != EMISSION_COLUMN
                }
                for one in emission.tables.get(grain, ())
                if emission.run and one[EMISSION_COLUMN] == emission.run[EMISSION_COLUMN]
            ]
            for grain in GRAINS
            if grain != SOURCE_RISKS
        }
        for emission in emissions
        if emission.run is not None
    ]


def write_files(writer: str, folder: Path, emissions: Sequence[Emission]) -> None:
    """Write emissions by a writer of files.

    Args:
        writer: json or parquet.
        folder: Where to.
        emissions: What.
    """
    write = make_writer({"writer": writer, "path": str(folder)}).write
    for record in records(emissions):
        write(record)
