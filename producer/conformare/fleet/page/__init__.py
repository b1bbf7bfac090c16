"""The page of a fleet: one set of views and templates, as a report and as a server."""

from conformare.fleet._defaults import DEFAULT_PORT, DEFAULT_TITLE
from conformare.fleet.page.report import report, write_report
from conformare.fleet.page.server import serve

__all__ = ["DEFAULT_PORT", "DEFAULT_TITLE", "report", "serve", "write_report"]
