"""Where things are found: pages that a server has, or parts of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlencode

from conformare.fleet.stores import PipelineKey


class Links(Protocol):
    """Where a page leads; None where what is meant cannot be seen."""

    @property
    def are_served(self) -> bool:
        """Whether somebody answers a query."""

    def page(self, name: str, **query: str | None) -> str | None:
        """Return where a page is."""

    def pipeline(self, name: str, env: str | None) -> str | None:
        """Return where a pipeline is."""

    def run(self, run_id: str, pipeline: str) -> str | None:
        """Return where a run is."""

    def owner(self, name: str) -> str | None:
        """Return where an owner is."""

    def location(self, location: str) -> str | None:
        """Return where a location's lineage is."""


class ServedLinks:
    """The pages of a server: each name travels in the query, where any text may stand."""

    are_served = True

    def page(self, name: str, **query: str | None) -> str | None:
        """See `Links`."""
        return url(f"/{name}", query.items())

    def pipeline(self, name: str, env: str | None) -> str | None:
        """See `Links`."""
        return url("/pipeline", [("name", name), ("env", env)])

    def run(self, run_id: str, pipeline: str) -> str | None:
        """See `Links`."""
        return url("/run", [("id", run_id), ("pipeline", pipeline)])

    def owner(self, name: str) -> str | None:
        """See `Links`."""
        return url("/owner", [("name", name)])

    def location(self, location: str) -> str | None:
        """See `Links`."""
        return url("/lineage", [("location", location)])


@dataclass(frozen=True)
class ReportLinks:
    """Parts of one file.

    Attributes:
        pipelines: Pipelines that it holds → what they are called in it.
    """

    pipelines: Mapping[PipelineKey, str] = field(default_factory=dict)
    are_served: bool = False

    def page(self, name: str, **query: str | None) -> None:
        """See `Links`; the heads of a report lead to its pages."""
        del name, query

    def pipeline(self, name: str, env: str | None) -> str | None:
        """See `Links`."""
        anchor = self.pipelines.get(PipelineKey(name, env))
        return anchor and f"#{anchor}"

    def run(self, run_id: str, pipeline: str) -> None:
        """See `Links`."""
        del run_id, pipeline

    def owner(self, name: str) -> None:
        """See `Links`."""
        del name

    def location(self, location: str) -> None:
        """See `Links`."""
        del location


def url(path: str, query: Iterable[tuple[str, str | None]]) -> str:
    """Return a URL of this server; what is None is left out.

    Args:
        path: Begins with a slash.
        query: Names and values.
    """
    said = [(name, value) for name, value in query if value is not None]
    text = urlencode(said, errors="replace", quote_via=quote)
    return f"{path}?{text}" if text else path
