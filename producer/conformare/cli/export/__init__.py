"""`conformare export`: the recorded runs, as other tools read them."""

from conformare.cli.export._app import app

__all__ = ["app"]
