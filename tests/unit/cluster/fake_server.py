"""A small API server on loopback: paging, watches, logs, and failures on demand."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.cluster.fake_store import PLURALS, Json, Store

Headers = dict[str, str]
Rule = Callable[["Request"], "Response | None"]

_PATH = re.compile(
    r"^/(?:api|apis/[^/]+)/v1(?:/namespaces/(?P<ns>[^/]+)(?=/))?/(?P<plural>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>[a-z]+))?$"
)


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: Any


@dataclass(frozen=True)
class Response:
    """An answer.

    `hold` seconds pass before it; `cut` breaks the line in its middle; with `drip` it comes byte
    by byte, so many seconds apart.
    """

    status: int
    body: bytes = b"{}"
    headers: Headers = field(default_factory=dict)
    hold: float = 0.0
    cut: bool = False
    drip: float = 0.0


def status(code: int, reason: str, message: str, **metadata: str) -> Response:
    """A Status object."""
    body = {"kind": "Status", "reason": reason, "message": message, "metadata": metadata}
    return Response(code, json.dumps(body).encode())


class FakeServer:
    """Serves a Store over HTTP until stop(); `rules` come first, each may answer a request."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.store = Store()
        self.rules: list[Rule] = []
        self.requests: list[Request] = []
        self.logs: dict[str, Callable[[], Response]] = {}
        self.watch_seconds = 60.0
        self.stopping = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._http.fake = self  # type: ignore[attr-defined]
        self.connections: list[Any] = []
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def stop(self) -> None:
        """Close the listener and every connection, as a killed server does."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        with self.store.changed:
            self.store.changed.notify_all()
        self._http.shutdown()
        self._http.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(2)

    def on(self, method: str, pattern: str, answer: Response, *, times: int = 10**6) -> None:
        """Answer matching requests like this, so many times."""
        left = [times]

        def rule(request: Request) -> Response | None:
            if request.method != method or not re.search(pattern, request.path) or not left[0]:
                return None
            left[0] -= 1
            return answer

        self.rules.append(rule)

    def asked(self, method: str, pattern: str) -> list[Request]:
        """The requests that came."""
        return [r for r in self.requests if r.method == method and re.search(pattern, r.path)]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.fake: FakeServer = self.server.fake  # type: ignore[attr-defined]
        self.fake.connections.append(self.connection)

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        request = Request(self.command, url.path, query, self.headers, body)
        self.fake.requests.append(request)
        for rule in self.fake.rules:
            if (answer := rule(request)) is not None:
                self._send(answer)
                return
        if "watch" in query:
            self._watch(request)
        else:
            self._send(_answer(self.fake, request))

    def _send(self, answer: Response) -> None:
        if answer.hold:
            self.fake.stopping.wait(answer.hold)
        self.send_response_only(answer.status)
        if "Date" not in answer.headers:
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        for number in range(len(answer.body) if answer.drip else 0):
            self.wfile.write(answer.body[number : number + 1])
            self.wfile.flush()
            self.fake.stopping.wait(answer.drip)
        if not answer.drip:
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.wfile.flush()
        self.close_connection = answer.cut

    def _watch(self, request: Request) -> None:
        fake = self.fake
        match = _PATH.match(request.path)
        assert match
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        seen = int(request.query["resourceVersion"])
        end = time.monotonic() + fake.watch_seconds
        while time.monotonic() < end and not fake.stopping.is_set():
            seen, news = self._news(request.query, match["plural"], seen, end)
            for line in news:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _news(
        self, query: dict[str, str], plural: str, seen: int, end: float
    ) -> tuple[int, list[bytes]]:
        """Wait for changes; the version reached and the changes of this kind."""
        store, fake = self.fake.store, self.fake
        with store.changed:
            store.changed.wait_for(
                lambda: store.version > seen or fake.stopping.is_set(),
                timeout=min(0.5, max(0.0, end - time.monotonic())),
            )
            return store.version, [
                json.dumps({"type": kind, "object": obj}).encode() + b"\n"
                for _, kind_of, kind, obj in store.changes[seen:]
                if kind_of == plural and _selected(obj, query)
            ]


def _answer(fake: FakeServer, request: Request) -> Response:
    if request.path == "/version":
        return Response(200, b'{"gitVersion": "v1.34.4", "platform": "linux/amd64"}')
    if request.path.endswith("/selfsubjectaccessreviews"):
        return Response(201, b'{"status": {"allowed": true}}')
    match = _PATH.match(request.path)
    if match is None or match["plural"] not in PLURALS:
        return status(404, "NotFound", "the server could not find the requested resource")
    namespace, plural, name = match["ns"] or "", match["plural"], match["name"]
    if request.method == "POST":
        return _create(fake, namespace, plural, request)
    if name is None:
        return _collection(fake, namespace, plural, request)
    obj = fake.store.objects.get((plural, namespace, name))
    if obj is None:
        return status(404, "NotFound", f'{plural} "{name}" not found')
    if match["sub"] == "log":
        return fake.logs[obj["spec"]["nodeName"]]()
    if request.method == "DELETE":
        fake.store.remove(plural, obj)
    return Response(200, json.dumps(obj).encode())


def _create(fake: FakeServer, namespace: str, plural: str, request: Request) -> Response:
    obj: Json = request.body
    store = fake.store
    if store.key(plural, obj) in store.objects:
        return status(409, "AlreadyExists", f'{plural} "{obj["metadata"]["name"]}" already exists')
    if plural == "pods" and (verdict := store.refuse_pod(obj)):
        return status(*verdict)
    if request.query.get("dryRun") == "All":
        return Response(201, json.dumps(obj).encode())
    obj["metadata"]["namespace"] = namespace
    obj.setdefault("status", {})
    store.add(plural, obj)
    answer = Response(201, json.dumps(obj).encode(), {"Warning": '299 - "would violate \\"it\\""'})
    threading.Thread(target=store.run_controllers, args=(plural, obj), daemon=True).start()
    return answer


def _collection(fake: FakeServer, namespace: str, plural: str, request: Request) -> Response:
    with fake.store.changed:
        version = fake.store.version
        found = [
            obj
            for (kind, ns, _), obj in fake.store.objects.items()
            if kind == plural and namespace in ("", ns) and _selected(obj, request.query)
        ]
    if request.method == "DELETE":
        for obj in found:
            fake.store.remove(plural, obj)
        return Response(200, b"{}")
    start = int(request.query.get("continue", "0"))
    end = start + int(request.query.get("limit", len(found) or 1))
    metadata = {"resourceVersion": str(version)}
    if end < len(found):
        metadata["continue"] = str(end)
    body = {"kind": "List", "metadata": metadata, "items": found[start:end]}
    return Response(200, json.dumps(body).encode())


def _selected(obj: Json, query: dict[str, str]) -> bool:
    labels = obj["metadata"].get("labels", {})
    for wanted in filter(None, query.get("labelSelector", "").split(",")):
        key, _, value = wanted.partition("=")
        if labels.get(key) != value:
            return False
    for wanted in filter(None, query.get("fieldSelector", "").split(",")):
        path, _, value = wanted.partition("=")
        found: Any = obj
        for key in path.split("."):
            found = found.get(key, {})
        if found != value:
            return False
    return True
