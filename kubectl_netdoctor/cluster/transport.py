"""One HTTP request over the Kubernetes client's connections; every foreign error ends here."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)

from kubectl_netdoctor.cluster.api_errors import BUSY, ApiError, Unreachable
from kubectl_netdoctor.cluster.words import plain, root

CONNECTIONS = 10
BUSY_TRIES = 5
BUSY_SECONDS = 30.0  # of waiting that 429 answers may cost one request
_OK = range(200, 300)

Query = Mapping[str, str | int]


class Transport:
    """Sends requests on at most ten connections. Threads may share it."""

    def __init__(self, client: Any, headers: tuple[tuple[str, str], ...]) -> None:
        self._client = client
        self._headers = headers
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._closing = threading.Event()
        host: str = client.configuration.host
        self._host = urlsplit(host).hostname or host

    def close(self) -> None:
        """Close all connections; waiting requests give up."""
        self._closing.set()
        self._client.close()

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Mapping[str, Any] | None,
        *,
        timeout: tuple[float, float],
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[urllib3.HTTPResponse]:
        """A successful response, its body not yet read. Raises ApiError.

        An answer of 429 is honoured: its Retry-After is waited for, a bounded number of times.
        """
        url = self._client.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        give_up = time.monotonic() + BUSY_SECONDS
        for attempt in range(BUSY_TRIES):
            last = attempt == BUSY_TRIES - 1
            with self._slots, self._border(timeout):
                response = self._send(method, url, body, timeout, headers)
                try:
                    if response.status in _OK:
                        yield response
                        return
                    pause = _pause(response)
                    if response.status != BUSY or last or time.monotonic() + pause > give_up:
                        raise ApiError.of_body(
                            response.status, response.reason or "", response.read(1 << 16)
                        )
                    response.drain_conn()
                finally:
                    response.close()  # a body read to its end has given its connection back
            self._closing.wait(pause)

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        timeout: tuple[float, float],
        extra: Mapping[str, str] | None,
    ) -> urllib3.HTTPResponse:
        if self._closing.is_set():
            raise Unreachable("the connection was closed")
        headers = self._all_headers(extra, with_body=body is not None)
        for attempt in (1, 2):
            try:
                answer = self._client.call_api(
                    method, url, headers, body, _request_timeout=timeout
                ).response
            except ProtocolError:
                # A kept-alive connection that the server had closed meanwhile: reading may repeat.
                if method != "GET" or attempt == 2:
                    raise
            else:
                break
        response: urllib3.HTTPResponse = answer
        return response

    def _all_headers(
        self, extra: Mapping[str, str] | None, *, with_body: bool
    ) -> urllib3.HTTPHeaderDict:
        headers = urllib3.HTTPHeaderDict({"Accept": "application/json", **(extra or {})})
        if with_body:
            headers.setdefault("Content-Type", "application/json")
        auth: dict[str, str] = {}
        self._client.update_params_for_auth(auth, [], ["BearerToken"], "", "", None)
        headers.update(auth)
        for name, value in self._headers:
            headers.add(name, value)
        return headers

    @contextmanager
    def _border(self, timeout: tuple[float, float]) -> Iterator[None]:
        try:
            yield
        except ApiError:
            raise
        except (HTTPError, ApiException, OSError, ValueError) as exc:
            raise self._unreachable(exc, timeout) from exc

    def _unreachable(self, exc: Exception, timeout: tuple[float, float]) -> Unreachable:
        if isinstance(exc, NameResolutionError):
            return Unreachable(f"the name {self._host} does not resolve")
        # A NewConnectionError is a ConnectTimeoutError too, whatever its cause.
        if isinstance(exc, ConnectTimeoutError) and not isinstance(exc, NewConnectionError):
            return Unreachable(f"no connection within {timeout[0]:g} s", timed_out=True)
        if isinstance(exc, ReadTimeoutError | TimeoutError):
            return Unreachable(f"no answer within {timeout[1]:g} s", timed_out=True, connected=True)
        cause = root(exc)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(f"its certificate: {cause.verify_message}", certificate=True)
        words = plain(cause)
        if isinstance(exc, ProxyError):
            return Unreachable(f"the proxy failed: {words}")
        broken = isinstance(exc, HTTPError) and not isinstance(exc, NewConnectionError)
        return Unreachable(words, connected=broken)


def _pause(response: urllib3.HTTPResponse) -> float:
    """Seconds of Retry-After; 1 where it is absent or a date."""
    after = response.headers.get("Retry-After", "")
    return float(after) if after.isdecimal() and len(after) < 5 else 1.0
