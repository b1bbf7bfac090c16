"""Messages and records, made up or written byte by byte."""
