"""Where a record can go: the topics, tables, files, or a function of the user's own."""

from conformare.writers._registry import make_writer, writer_options

__all__ = ["make_writer", "writer_options"]
