"""Names that Spark gives to columns without an alias: where they hold literals, others stand in."""

from conformare.capture.naming._frames import names_made, names_made_by, remember_script

__all__ = ["names_made", "names_made_by", "remember_script"]
