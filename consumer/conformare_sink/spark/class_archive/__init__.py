"""The archive of Java classes that Spark starts from: made once for each machine, if wanted."""

from conformare_sink.spark.class_archive._archive import (
    archive_file,
    java_options,
    make_archive,
)

__all__ = ["archive_file", "java_options", "make_archive"]
