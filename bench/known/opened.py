"""A lake that holds many runs is opened for landing, without Spark."""

from __future__ import annotations

from bench.known.many import filled, opening_seconds
from bench.landing.process import arguments, found

given = arguments()
tables = filled(given["lake"], given["runs"], in_order=True)
found(opening=opening_seconds(tables, given["runs"]))
