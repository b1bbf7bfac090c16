"""What the demo raises for a person to read: one line, without a traceback."""

from __future__ import annotations

from conformare_sink.errors import SinkError


class DemoError(SinkError):
    """Root of the demo's own errors."""


class DemoDataMissingError(DemoError):
    """Something that the demo needs beside the sink is not installed."""


class UndeliveredError(DemoError):
    """Runs were recorded that the broker did not take."""


class ReplayChangedError(DemoError):
    """The replay changed the lake, which it never should."""
