"""The way to a collector, by OpenTelemetry's own library. Blocking: it is used in a thread that nobody waits for."""

import logging
import os
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from swarm_api import __version__
from swarm_api.redaction import Redactor
from swarm_hub.traces.spans import Span

_LIBRARY = logging.getLogger("opentelemetry")
_LIBRARY.addHandler(logging.NullHandler())  # without one it writes to standard error itself
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Collector:
    """Resource attributes, timeout, compression and certificates are as the standard's variables say."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], redactor: Redactor) -> None:
        self._redactor = redactor
        self._ids, self._ended = _Ids(), _Ended()
        provider = TracerProvider(ALWAYS_ON, _resource(), shutdown_on_exit=False, id_generator=self._ids)
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("claude-swarm", __version__)
        self._exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", headers=headers)
        self._said = _Said()
        _LIBRARY.addHandler(self._said)
        _LIBRARY.propagate = False  # it would say the same for every attempt

    @property
    def reason(self) -> str:
        """Why the last spans could not be sent."""
        return self._said.last

    def send(self, spans: Sequence[Span]) -> bool:
        """Whether the collector has them all."""
        for span in spans:
            self._record(span)
        ended, self._ended.spans = self._ended.spans, []
        return not ended or self._exporter.export(ended) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """What is being sent is given up with its current attempt."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the library's
        _LIBRARY.removeHandler(self._said)

    def _record(self, span: Span) -> None:
        self._ids.next = (span.trace_id, span.span_id)
        context = None
        if span.parent_id is not None:
            parent = SpanContext(span.trace_id, span.parent_id, is_remote=span.remote, trace_flags=_SAMPLED)
            context = set_span_in_context(NonRecordingSpan(parent))
        told = self._tracer.start_span(
            span.name, context, SpanKind.CLIENT if span.outward else SpanKind.INTERNAL,
            self._redactor.value(span.attributes), start_time=span.start_ms * 1_000_000,
        )  # fmt: skip
        if span.error is not None:
            told.set_status(Status(StatusCode.ERROR, self._redactor.text(span.error)))
        elif span.fine:
            told.set_status(StatusCode.OK)
        told.end(span.end_ms * 1_000_000)


def _resource() -> Resource:
    own = {SERVICE_VERSION: __version__}
    named = SERVICE_NAME in OTELResourceDetector().detect().attributes or OTEL_SERVICE_NAME in os.environ
    return Resource.create(own if named else {SERVICE_NAME: "claude-swarm-hub", **own})


class _Ids(IdGenerator):
    """The ids that the next span shall have."""

    def __init__(self) -> None:
        self.next = (0, 0)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1]


class _Ended(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class _Said(logging.Handler):
    """Keeps the last that the library said."""

    last = "no reason was given"

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
