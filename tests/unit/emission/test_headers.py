"""What is said beside the rows."""

from __future__ import annotations

from importlib.metadata import version

from opentelemetry import trace

from conformare.emission._headers import emission_headers

SPAN = trace.SpanContext(
    trace_id=0x0AF7651916CD43DD8448EB211C80319C,
    span_id=0xB7AD6B7169203331,
    is_remote=False,
    trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
)


def test_the_headers_tell_contract_version_producer_and_sequence() -> None:
    """And nothing of a trace where there is none."""
    assert emission_headers("process-1", 412) == {
        "conformare.contract": b"2",
        "conformare.version": version("conformare-stream").encode(),
        "conformare.producer": b"process-1",
        "conformare.sequence": b"412",
    }


def test_the_current_span_is_told_as_w3c_trace_context_writes_it() -> None:
    """The example is that of the specification."""
    with trace.use_span(trace.NonRecordingSpan(SPAN)):
        headers = emission_headers("process-1", 1)
    assert headers["traceparent"] == b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
