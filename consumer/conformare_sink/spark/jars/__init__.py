"""The jars that Spark and the embedded broker need: fetched once for each machine."""

from conformare_sink.spark.jars._cache import (
    CACHE_VARIABLE,
    cache_directory,
    is_resolved,
    jars_folder,
    resolve_jars,
)
from conformare_sink.spark.jars._ivy import IVY_SETTINGS_VARIABLE
from conformare_sink.spark.jars._sets import (
    BROKER_JARS,
    DELTA_VERSION,
    DIGESTS_FILE,
    JAR_SETS,
    KAFKA_VERSION,
    SCALA_VERSION,
    SINK_JARS,
    SPARK_VERSION,
    JarSet,
)

__all__ = [
    "BROKER_JARS",
    "CACHE_VARIABLE",
    "DELTA_VERSION",
    "DIGESTS_FILE",
    "IVY_SETTINGS_VARIABLE",
    "JAR_SETS",
    "KAFKA_VERSION",
    "SCALA_VERSION",
    "SINK_JARS",
    "SPARK_VERSION",
    "JarSet",
    "cache_directory",
    "is_resolved",
    "jars_folder",
    "resolve_jars",
]
