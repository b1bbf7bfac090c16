"""The sink's commands of the `conformare` line, one module each."""
