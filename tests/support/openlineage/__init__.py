"""What events of OpenLineage are checked by."""
