"""Reading a store from within a job, without loading into the job what reads it."""

from conformare.reader._reader import StoreReadError, asked, has_reader, within

__all__ = ["StoreReadError", "asked", "has_reader", "within"]
