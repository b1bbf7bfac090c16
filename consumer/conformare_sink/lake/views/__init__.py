"""The views that answer questions about a fleet in SQL; each file beside has the query of one."""
