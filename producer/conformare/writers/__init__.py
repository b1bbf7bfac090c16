"""Where a record can go: the topics, tables, files, or a function of the user's own."""

from conformare.writers._protocol import RunWriter
from conformare.writers._registry import ENVIRONMENT_PREFIX, make_writer

__all__ = ["ENVIRONMENT_PREFIX", "RunWriter", "make_writer"]
