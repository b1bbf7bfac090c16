"""Where a record can go: the topics, tables, files, or a function of the user's own."""

from conformare.writers._files import JsonWriter, ParquetWriter
from conformare.writers._registry import SETTINGS, make_writer, options_of, writer_options
from conformare.writers._simple import CallableWriter
from conformare.writers._spark_table import SparkTableWriter

__all__ = [
    "SETTINGS",
    "CallableWriter",
    "JsonWriter",
    "ParquetWriter",
    "SparkTableWriter",
    "make_writer",
    "options_of",
    "writer_options",
]
