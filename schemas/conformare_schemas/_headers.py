"""The names of the Kafka headers of every message."""

from __future__ import annotations

CONTRACT_HEADER = "conformare.contract"
"""The version of the contract that the message was written with."""
VERSION_HEADER = "conformare.version"
"""The version of conformare-stream that wrote it."""
PRODUCER_HEADER = "conformare.producer"
"""Which process recorded the run: a UUID, new for every process and store."""
SEQUENCE_HEADER = "conformare.sequence"
"""How many emissions that process had made, this one included: a gap is a run that is missing."""
TRACE_HEADER = "traceparent"
"""The current span, as W3C Trace Context writes it."""
