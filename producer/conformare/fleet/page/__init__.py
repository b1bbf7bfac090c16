"""The page of a fleet: one set of views and templates, as a report and as a server."""

from conformare.fleet.page.report import DEFAULT_TITLE, report, write_report
from conformare.fleet.page.server import DEFAULT_PORT, serve

__all__ = ["DEFAULT_PORT", "DEFAULT_TITLE", "report", "serve", "write_report"]
