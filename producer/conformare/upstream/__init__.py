"""The risks that come to a job with what it reads: asked for, or told at each read."""

from conformare.upstream._check import check_upstream_risks
from conformare.upstream._warnings import SourceWarnings

__all__ = ["SourceWarnings", "check_upstream_risks"]
