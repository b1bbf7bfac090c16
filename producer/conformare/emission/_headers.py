"""What is said beside the rows: who sent them, as which of its emissions, within which trace."""

from __future__ import annotations

import sys
from contextlib import suppress

from conformare._version import own_version
from conformare_schemas import (
    CONTRACT_HEADER,
    CONTRACT_VERSION,
    PRODUCER_HEADER,
    SEQUENCE_HEADER,
    TRACE_HEADER,
    VERSION_HEADER,
)


def emission_headers(producer_id: str, sequence: int) -> dict[str, bytes]:
    """Return the headers of the messages of one emission.

    Args:
        producer_id: Identity of the process that records.
        sequence: Number of the emission among those of that process, from 1.
    """
    headers = {
        CONTRACT_HEADER: str(CONTRACT_VERSION),
        VERSION_HEADER: own_version(),
        PRODUCER_HEADER: producer_id,
        SEQUENCE_HEADER: str(sequence),
    }
    with suppress(Exception):  # a run is worth more than its trace
        traceparent = _traceparent()
        if traceparent is not None:
            headers[TRACE_HEADER] = traceparent
    return {name: text.encode() for name, text in headers.items()}


def _traceparent() -> str | None:
    """Return the current OpenTelemetry span, None where there is none."""
    # Where nobody has imported it there is no span, and nothing to import it for.
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is None:
        return None
    span = tracing.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
