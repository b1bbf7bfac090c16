"""How late are flights from New York? A PySpark pipeline as one writes it with conformare.

Beside the pipeline itself there are three things to see here:

* `cf.describe` names the parts of the pipeline, says what each is for and who owns its
  definition, and `cf.risk` says which risks it carries and what is done about them;
* `cf.profile(cf.greatExpectations(...))` holds the results of a part to expectations;
* `record` tracks Spark, runs the pipeline and records the run, in three lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import conformare as cf
from conformare_demo.flights import SCHEMAS

PIPELINE = "flight_delays"

FLOWN_COLUMNS = (
    "carrier", "tailnum", "origin", "dest", "distance", "time_hour", "dep_delay", "arr_delay"
)  # fmt: skip

LATE_MINUTES = 15
STORM_MPH = 30
LOW_VISIBILITY_MILES = 3

# A failure of severity critical fails the run; any other one only degrades it.
FLOWN_CHECKS = cf.greatExpectations(
    {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "arr_delay"},
        "severity": "critical",
    },
    {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "tailnum"},
        "severity": "critical",
    },
    {
        "type": "expect_table_row_count_to_be_between",
        "kwargs": {"min_value": 300_000, "max_value": 400_000},
        "severity": "warning",
    },
    hard_severities="critical",
)
ROUTE_CHECKS = cf.greatExpectations(
    {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "airline"},
        "severity": "critical",
    },
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "late_share", "min_value": 0, "max_value": 1},
        "severity": "warning",
    },
    hard_severities="critical",
)

FlownMeans = Literal["landed", "departed"]


def record(
    spark: SparkSession,
    data: Path,
    output: Path,
    *,
    git_sha: str,
    flown_means: FlownMeans = "landed",
    weather_risks: Sequence[cf.risk] = (),
) -> str:
    """Run the pipeline and record the run; where to is what `cf.configure_store` said.

    Args:
        spark: Any session.
        data: Folder of the CSV files.
        output: Folder of what the pipeline writes.
        git_sha: Commit of this code.
        flown_means: See `flight_delays`.
        weather_risks: See `flight_delays`.

    Returns:
        The run's id.
    """
    cf.trackSpark()
    flight_delays(spark, data, output, flown_means=flown_means, weather_risks=weather_risks)
    return cf.record_run(PIPELINE, env="demo", git_sha=git_sha, tags={"team": "punctuality"})


def flight_delays(
    spark: SparkSession,
    data: Path,
    output: Path,
    *,
    flown_means: FlownMeans = "landed",
    weather_risks: Sequence[cf.risk] = (),
) -> None:
    """Write how late flights were: by route, by weather and by aircraft.

    Args:
        spark: Any session.
        data: Folder of the CSV files.
        output: Folder of what is written.
        flown_means: Which flights count as flown: those that landed where they were to, or all
            that departed.
        weather_risks: Risks of the weather data beside the one that is known and mitigated.
    """
    # A tail number leads to the registered owner of the aircraft: a person, for private ones.
    cf.mark_sensitive("tailnum", tag="aircraft_owner", category="Identity")

    flown = flown_flights(read(spark, data, "flights"), flown_means)

    by_route = delays_by_route(flown, read(spark, data, "airlines"), read(spark, data, "airports"))
    by_route.write.format("delta").mode("overwrite").save(f"{output}/delays_by_route")

    by_weather = delays_by_weather(flown, read(spark, data, "weather"), weather_risks)
    by_weather.write.format("delta").mode("overwrite").save(f"{output}/delays_by_weather")

    by_aircraft = delays_by_aircraft(flown, read(spark, data, "planes"))
    by_aircraft.write.mode("overwrite").parquet(f"{output}/delays_by_aircraft")

    flown.unpersist()


def read(spark: SparkSession, data: Path, table: str) -> DataFrame:
    """Return one of the CSV files, in which NA stands for a value that is missing."""
    return spark.read.csv(f"{data}/{table}.csv", schema=SCHEMAS[table], header=True, nullValue="NA")


@cf.describe(
    "flown flights",
    purpose="Decide which scheduled flights count: those whose delay is known",
    definition_owner="Flight Operations",
    risks=cf.risk(
        "quality.missing_values",
        mitigation="Cancelled flights have no delay and are left out",
        owner="Flight Operations",
    ),
)
def flown_flights(flights: DataFrame, flown_means: FlownMeans) -> DataFrame:
    """Return the flights that were flown."""
    with cf.profile(FLOWN_CHECKS, only="last"):
        if flown_means == "landed":
            counted = flights.filter("arr_delay IS NOT NULL")
        else:
            counted = flights.filter("dep_delay IS NOT NULL")
        flown = counted.select(*FLOWN_COLUMNS)
        # Read by the checks and by three further steps.
        flown.cache()
    return flown


@cf.describe(
    "delays by route",
    purpose="Punctuality of each airline on each route, for the monthly report",
    definition_owner="Network Planning",
    risks=cf.risk(
        "fairness.sampling_bias",
        mitigation="Routes with fewer than 30 flights are left out",
        owner="Network Planning",
    ),
)
def delays_by_route(flown: DataFrame, airlines: DataFrame, airports: DataFrame) -> DataFrame:
    """Return delays by origin, destination and airline."""
    airline_names = airlines.withColumnRenamed("name", "airline")
    destinations = airports.select(F.col("faa").alias("dest"), F.col("name").alias("destination"))
    routes = (
        flown.groupBy("origin", "dest", "carrier")
        .agg(
            F.count("*").alias("flights"),
            F.round(F.avg("arr_delay"), 1).alias("mean_delay"),
            F.round(F.avg((F.col("arr_delay") > LATE_MINUTES).cast("int")), 3).alias("late_share"),
        )
        .filter("flights >= 30")
    )
    with cf.profile(ROUTE_CHECKS, only="last"):
        return routes.join(airline_names, "carrier").join(destinations, "dest", "left")


def delays_by_weather(
    flown: DataFrame, weather: DataFrame, further_risks: Sequence[cf.risk]
) -> DataFrame:
    """Return delays by what the weather was like at departure."""
    gaps = cf.risk(
        "quality.missing_values",
        mitigation="Flights in hours without a report are counted apart",
        owner="Weather Desk",
    )
    with cf.describe(
        "weather at departure",
        purpose="Tell delays that the weather explains from those that it does not",
        definition_owner="Weather Desk",
        risks=[gaps, *further_risks],
    ):
        conditions = weather.select(
            "origin",
            "time_hour",
            F.when(F.col("precip") > 0, "rain or snow")
            .when(F.col("visib") < LOW_VISIBILITY_MILES, "low visibility")
            .when(F.col("wind_speed") >= STORM_MPH, "storm")
            .otherwise("fair")
            .alias("conditions"),
        )
        with_conditions = flown.join(conditions, ["origin", "time_hour"], "left")
        return (
            with_conditions.fillna("no report", ["conditions"])
            .groupBy("origin", "conditions")
            .agg(
                F.count("*").alias("flights"),
                F.round(F.avg("dep_delay"), 1).alias("mean_departure_delay"),
            )
        )


@cf.describe("delays by aircraft")
def delays_by_aircraft(flown: DataFrame, planes: DataFrame) -> DataFrame:
    """Return delays by aircraft, with what is known of it.

    What a `describe` is not told, it reads here:

    Conformare:
        Purpose: Find aircraft whose delays point at their maintenance
        Owner: Fleet Safety
        Risk: privacy.reidentification | mitigation: Readable by Fleet Safety only | owner: Privacy
    """
    aircraft = planes.withColumnRenamed("year", "built").drop("speed")
    return (
        flown.groupBy("tailnum")
        .agg(
            F.count("*").alias("flights"),
            F.sum("distance").alias("miles"),
            F.round(F.avg("dep_delay"), 1).alias("mean_departure_delay"),
        )
        .join(aircraft, "tailnum", "left")
    )
