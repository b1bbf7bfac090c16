"""The page of a fleet: one set of views and templates, as a report and as a server."""

from conformare.fleet.page.report import to_html, write_report
from conformare.fleet.page.server import serve

__all__ = ["serve", "to_html", "write_report"]
