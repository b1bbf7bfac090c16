"""The tables of a lake: in its folder, written by deltalake, or in a catalog, written by Spark."""
