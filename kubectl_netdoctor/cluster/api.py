"""The Kubernetes API as plain JSON: get, list, create, delete, watch and logs."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api_errors import GONE, NOT_FOUND, ApiError, Unreachable
from kubectl_netdoctor.cluster.transport import Query, Transport
from kubectl_netdoctor.cluster.watch import Watch

PAGE = 500
MAX_LOG_BYTES = 32 << 20  # a kubelet rotates logs at 10 MiB

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which cluster this is, for the report, and the namespace of its context."""

    context: str | None
    server: str
    namespace: str


class Api:
    """One cluster. Threads may share it; it keeps at most ten connections.

    `timeout` is (connect, read) in seconds. All failures are ApiErrors.
    """

    def __init__(
        self,
        client: Any,
        identity: Identity,
        *,
        timeout: tuple[float, float],
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._transport = Transport(client, headers)
        self.identity = identity
        self.timeout = timeout
        self.version: Json = {}  # /version, read by connect()
        self._ahead = dt.timedelta(0)  # of the server's clock
        self.written: list[str] = []  # every request that can change something, as it was answered

    @property
    def context(self) -> str | None:
        """Name of the kubeconfig's context; None inside a cluster."""
        return self.identity.context

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self.identity.server

    @property
    def namespace(self) -> str:
        """Namespace of the context."""
        return self.identity.namespace

    def now(self) -> dt.datetime:
        """The time by the API server's clock: what objects say is not by this machine's."""
        return dt.datetime.now(dt.UTC) + self._ahead

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def get(self, path: str, query: Query | None = None) -> Json:
        """One object."""
        return self._json("GET", path, query)[0]

    def list(self, path: str, query: Query | None = None, *, limit: int = PAGE) -> Iterator[Json]:
        """The items of a collection, page by page, without their managedFields.

        A list that expires under the reader goes on with the token that the API hands out, or
        starts once more: key what you keep by name, items may come twice.
        """
        token: str | None = None
        restarts = 1
        while True:
            asked = {**(query or {}), "limit": limit, **({"continue": token} if token else {})}
            try:
                page = self._json("GET", path, asked, headers={"Accept-Encoding": "gzip"})[0]
            except ApiError as exc:
                if exc.status != GONE or token is None or restarts == 0:
                    raise
                restarts -= exc.resume is None
                token = exc.resume
                continue
            for item in fields.objects(page, "items"):
                if isinstance(metadata := item.get("metadata"), dict):
                    metadata.pop("managedFields", None)
                yield item
            token = fields.some_text(page, "metadata", "continue")
            if token is None:
                return

    def create(
        self, path: str, body: Mapping[str, Any], query: Query | None = None
    ) -> tuple[Json, tuple[str, ...]]:
        """The object as created, and the API's warnings."""
        return self._json("POST", path, query, body=body)

    def annotate(self, path: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of one object, by a merge patch (RFC 7386)."""
        body = {"metadata": {"annotations": dict(annotations)}}
        headers = {"Content-Type": "application/merge-patch+json"}
        self._json("PATCH", path, None, body=body, headers=headers)

    def delete(
        self, path: str, *, propagation: str = "Background", grace: int | None = None
    ) -> bool:
        """Whether there was something to delete."""
        query: dict[str, str | int] = {"propagationPolicy": propagation}
        if grace is not None:
            query["gracePeriodSeconds"] = grace
        try:
            self._json("DELETE", path, query)
        except ApiError as exc:
            if exc.status == NOT_FOUND:
                return False
            raise
        return True

    def delete_collection(
        self, path: str, selector: str, *, propagation: str = "Background", grace: int | None = None
    ) -> None:
        """Delete all that carry the labels."""
        query: dict[str, str | int] = {"labelSelector": selector, "propagationPolicy": propagation}
        if grace is not None:
            query["gracePeriodSeconds"] = grace
        self._json("DELETE", path, query)

    def watch(self, path: str, query: Query | None, *, seconds: float) -> Watch:
        """Changes of a collection for so long, or until the watch is closed."""
        return Watch(self, path, query or {}, seconds)

    def stream(
        self, path: str, query: Query, *, read_timeout: float, opened: Any = None
    ) -> Generator[bytes, None, None]:
        """Pieces of a long answer as they arrive; `opened` is handed the response."""
        timeout = (self.timeout[0], read_timeout)
        with self._transport.open("GET", path, query, None, timeout=timeout) as response:
            if opened is not None:
                opened(response)
            yield from _pieces(response)

    def log(
        self, namespace: str, pod: str, *, seconds: float, container: str | None = None
    ) -> bytes:
        """All that a container wrote, raw, within so many seconds."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query: dict[str, str | int] = {"limitBytes": MAX_LOG_BYTES}
        if container is not None:
            query["container"] = container
        end = time.monotonic() + seconds
        pieces: list[bytes] = []
        size = 0
        for piece in self.stream(path, query, read_timeout=seconds):
            pieces.append(piece)
            size += len(piece)
            if time.monotonic() > end:
                raise Unreachable(
                    f"no complete log within {seconds:g} s", timed_out=True, connected=True
                )
            if size > MAX_LOG_BYTES:
                break
        return b"".join(pieces)

    def _json(
        self,
        method: str,
        path: str,
        query: Query | None,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Json, tuple[str, ...]]:
        said = "no answer"
        try:
            with self._transport.open(
                method, path, query, body, timeout=self.timeout, headers=headers
            ) as response:
                raw = response.read(decode_content=True)
                status = response.status
                warnings = tuple(map(_warning, response.headers.getlist("Warning")))
                self._set_clock(response.headers.get("Date", ""))
            said = str(status)
        except ApiError as exc:
            said = str(exc.status or exc)
            raise
        finally:
            if method != "GET":
                self._note(method, path, query, body, said)
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError) as exc:
            raise ApiError.of_body(status, "not JSON", raw[:200]) from exc
        if not isinstance(value, dict):
            raise ApiError(status, "NotAnObject", f"{path} is no object")
        return value, warnings

    def _note(
        self, method: str, path: str, query: Query | None, body: Mapping[str, Any] | None, said: str
    ) -> None:
        """One line for the run's own log: time, request and name, never what was sent."""
        name = fields.some_text(dict(body or {}), "metadata", "name")
        rehearsed = " (dry run)" if "dryRun" in (query or {}) else ""
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        self.written.append(f"{at} {method} {path} {name or ''}".rstrip() + f": {said}{rehearsed}")

    def _set_clock(self, date: str) -> None:
        with suppress(ValueError, TypeError):
            self._ahead = parsedate_to_datetime(date) - dt.datetime.now(dt.UTC)


def _pieces(response: urllib3.HTTPResponse) -> Iterator[bytes]:
    """What has arrived, never waiting for more than there is."""
    if response.chunked:
        yield from response.stream(1 << 16)
        return
    while piece := response.read1(1 << 16):
        yield piece


def _warning(header: str) -> str:
    """The text of a Warning header (RFC 7234): 299 - "text"."""
    _, _, quoted = header.partition('"')
    return fields.one_line(quoted.rstrip().removesuffix('"').replace('\\"', '"') or header)
