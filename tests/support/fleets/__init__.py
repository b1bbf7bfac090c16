"""Fleets made by hand."""
