"""Every name in a lake's folder: one folder a table, and what lies beside them."""

from __future__ import annotations

LOCK_FILE = "_writer.lock"
"""Locked by the process that writes, where the file system has locks."""
LEASE_FILE = "_writer.json"
"""Who writes, where the store has no locks; its holder renews it."""
CATALOG_NOTE = "_catalog.json"
"""Where the tables are, if they are in a catalog."""
PURGING_NOTE = "_purging.json"
"""Which runs are being purged."""
SOURCE_NOTE = "_source.json"
"""Which topics of which cluster the lake has read."""
READ_NOTE = "_read.json"
"""How far, for tables in a catalog; those in folders have it in the commits of `runs`."""
LANDING_NOTES = "_landing-"
"""Begins the name of a note while runs are being appended: which ones."""
REPLAY_NOTES = "_replay-"
"""Begins the name of a note while a replay is under way: how far it is."""
STAGED_FILES = "_staged-"
"""Begins the name of a file on a disk of this machine until all of it is written."""
ARRIVALS = "_arriving"
"""A folder for the rows of tables in a catalog that come as files, until Spark has appended them."""
NOBODYS_FILES = "_nobody-"
"""Begins the names of files that are asked for and never there."""

LOG = "_delta_log"
"""In a table's folder."""

_OURS = (LOCK_FILE, LEASE_FILE, CATALOG_NOTE, PURGING_NOTE, SOURCE_NOTE, READ_NOTE, ARRIVALS)


def commit_file(table: str, version: int) -> str:
    """Return the name of a table's commit in the lake's folder."""
    return f"{table}/{LOG}/{version:020d}.json"


def is_ours(name: str) -> bool:
    """Return whether the sink keeps something of that name beside the tables.

    It may be all that is left where somebody has deleted a lake's tables.
    """
    return name in _OURS or name.startswith((LANDING_NOTES, REPLAY_NOTES, STAGED_FILES))
