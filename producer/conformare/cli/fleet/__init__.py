"""`conformare fleet`: what the recorded runs say, and a gate for CI."""

from conformare.cli.fleet._app import app

__all__ = ["app"]
