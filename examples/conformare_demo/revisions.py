"""The story of the demo: three commits of one pipeline, each of which is run once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

import conformare as cf
from conformare_demo import pipeline


@dataclass(frozen=True)
class Revision:
    """One commit of the pipeline."""

    git_sha: str
    change: str
    """Its message."""
    flown_means: pipeline.FlownMeans = "landed"
    weather_risks: tuple[cf.risk, ...] = ()

    def run(self, spark: SparkSession, data: Path, output: Path) -> str:
        """Run the pipeline as of this commit and record the run; return the run's id.

        Args:
            spark: Any session.
            data: Folder of the CSV files.
            output: Folder of what the pipeline writes.
        """
        # A run usually has a process of its own; three in one must not inherit from each other.
        cf.store.clear()
        cf.reset_context()
        return pipeline.record(
            spark,
            data,
            output,
            git_sha=self.git_sha,
            flown_means=self.flown_means,
            weather_risks=self.weather_risks,
        )


# True of these data: one report of EWR in February says 1,048 miles per hour.
_impossible_wind = cf.risk(
    "quality.outliers", note="A wind of 1,048 mph has been reported", owner="Weather Desk"
)

REVISIONS = (
    Revision("4be1f0a", "Report delays by route, weather and aircraft"),
    Revision(
        "9d27c35",
        "Declare the risk of impossible wind speeds, to be mitigated",
        weather_risks=(_impossible_wind,),
    ),
    Revision(
        "e60b8d2",
        "Count diverted flights as flown: they departed",
        # They did, but landed elsewhere: they have no arrival delay.
        flown_means="departed",
        weather_risks=(_impossible_wind,),
    ),
)
