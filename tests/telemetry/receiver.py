"""A collector as OpenTelemetry's protocol has it: spans by HTTP, in protobuf."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire
from opentelemetry.proto.trace.v1.trace_pb2 import Status

STATUS = {Status.STATUS_CODE_UNSET: "", Status.STATUS_CODE_OK: "ok", Status.STATUS_CODE_ERROR: "error"}


@dataclass(frozen=True)
class Told:
    """A span as it came. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    status: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    outward: bool


@dataclass
class Receiver:
    """`refuses`: the status that it answers, in place of taking what it is sent; `hangs`: it does not answer."""

    url: str
    spans: list[Told] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: bytes = b""
    refuses: int | None = None
    asked: int = 0
    hangs: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def of(self, task_id: str) -> list[Told]:
        return [span for span in self.spans if span.attributes["swarm.task.id"] == task_id]

    def named(self, task_id: str, name: str) -> Told:
        """The one span of a task with that name."""
        (span,) = [span for span in self.of(task_id) if span.name == name]
        return span

    def has(self, task_id: str, *names: str) -> bool:
        return set(names) <= {span.name for span in self.of(task_id)}

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.asked += 1
        if self.hangs:
            self.ended.wait(30)
        if self.refuses is not None:
            return self.refuses
        assert path == "/v1/traces"
        self.headers.append(headers)
        self.bodies += body
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _values(group.resource.attributes)
            self.spans += [_told(span, resource) for scope in group.scope_spans for span in scope.spans]
        return 200


@contextmanager
def receiver() -> Iterator[Receiver]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    receiving = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    server.receiving = receiving  # type: ignore[attr-defined]  # how a handler finds it
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield receiving
    finally:
        receiving.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.server.receiving.take(self.path, headers, body)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def _told(span: Wire, resource: dict[str, Any]) -> Told:
    return Told(
        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name, span.start_time_unix_nano,
        span.end_time_unix_nano, STATUS[span.status.code], _values(span.attributes), resource,
        span.kind == Wire.SPAN_KIND_CLIENT,
    )  # fmt: skip


def _values(attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    pair: KeyValue
    for pair in attributes:
        found[pair.key] = _value(pair.value)
    return found


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind is not None
    return [_value(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
