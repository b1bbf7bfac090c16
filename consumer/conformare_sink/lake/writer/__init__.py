"""A lake has one writer at a time."""
