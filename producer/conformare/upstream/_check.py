"""The risks that come to a job with what it reads, asked for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable

from conformare._errors import UpstreamRiskWarning
from conformare._stores import Destination, writer_for
from conformare.capture.sql._names import location_written
from conformare.reader import StoreReadError
from conformare.upstream._look import Rows, readable_options, risks_of, tell_unreadable, told


def check_upstream_risks(
    locations: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    dest: Destination | None = None,
    warn: bool = True,
) -> Rows:
    """Return the risks that locations carry, according to the runs and declarations in the store.

        for found in cf.check_upstream_risks(["s3://lake/customers", "main.sales.orders"]):
            print(found["location"], found["n_risks"])

    If the store cannot be read, the job does not fail: one line is logged, and nothing is returned.

    Args:
        locations: One, or several, in any spelling; credentials in them are left out.
        dest: Where the runs are recorded, in place of the configured store.
        warn: Whether to warn where there are any.

    Returns:
        What `conformare.fleet.upstream_risks` returns of the store.

    Raises:
        StoreNotConfiguredError: There is neither `dest` nor a configured store.
        FleetError: What is recorded there cannot be read back, such as by a function.
        StoreConfigurationError: `dest` is a configuration that does not fit.
        TypeError: `dest` is of another kind.
    """
    several = [locations] if isinstance(locations, (str, os.PathLike)) else locations
    named = [location_written(os.fspath(location)) for location in several]
    options = readable_options(writer_for(dest))
    try:
        rows = risks_of(options, named)
    except StoreReadError as exc:
        tell_unreadable(exc)
        return []
    risky = [row for row in rows if row["n_risks"]]
    if warn and risky:
        warnings.warn("; ".join(map(told, risky)), UpstreamRiskWarning, stacklevel=2)
    return rows
