"""A collection as it changes: list, watch, and list again whenever the stream ends."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import urllib3

from kubectl_netdoctor.cluster import fields
from kubectl_netdoctor.cluster.api_errors import FORBIDDEN, UNAUTHORIZED, ApiError
from kubectl_netdoctor.cluster.transport import Query

if TYPE_CHECKING:
    from kubectl_netdoctor.cluster.api import Api

STREAM_SECONDS = 25  # the server ends a stream after this; silence after 5 s more is a dead line
PAUSES = (0.05, 2.0)  # shortest and longest pause before the next list, seconds


class Change(StrEnum):
    """What happened to an object, or to the line."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    LISTED = "LISTED"  # the collection was listed: the API answers
    LOST = "LOST"  # no answer; the watch tries again


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `object` is empty for LISTED and LOST; `error` says why it was lost."""

    change: Change
    object: dict[str, Any]
    error: ApiError | None = None


class Watch:
    """Iterate it in one thread; close() from any other ends it at once.

    Raises ApiError when the API refuses (401, 403), never when it is away.
    """

    def __init__(self, api: Api, path: str, query: Query, seconds: float) -> None:
        self._api = api
        self._path = path
        self._query = query
        self._end = time.monotonic() + seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._response: urllib3.HTTPResponse | None = None
        self._known: dict[str, dict[str, Any]] = {}  # metadata by uid

    def close(self) -> None:
        """End the watch, also while it waits for the server."""
        self._stop.set()
        with self._lock, suppress(ValueError, RuntimeError, OSError):
            if self._response is not None:
                self._response.shutdown()

    def __iter__(self) -> Iterator[Event]:
        pause = PAUSES[0]
        while not self._over():
            try:
                version = yield from self._list()
                pause = PAUSES[0]
                yield from self._stream(version)
            except ApiError as exc:
                if exc.status in (UNAUTHORIZED, FORBIDDEN):
                    raise
                if self._over():
                    return
                yield Event(Change.LOST, {}, exc)
                pause = min(pause * 2, PAUSES[1])
            self._stop.wait(pause * random.uniform(0.5, 1))  # noqa: S311 - jitter

    def _over(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._end

    def _list(self) -> Generator[Event, None, str]:
        """What changed since the last list; returns the resource version to watch from."""
        page = self._api.get(self._path, self._query)
        seen = {fields.text(o, "metadata", "uid"): o for o in fields.objects(page, "items")}
        yield Event(Change.LISTED, {})
        for uid in self._known.keys() - seen.keys():
            yield Event(Change.DELETED, {"metadata": self._known.pop(uid)})
        for uid, item in seen.items():
            yield Event(Change.MODIFIED if uid in self._known else Change.ADDED, item)
            self._known[uid] = fields.dig(item, "metadata")
        return fields.text(page, "metadata", "resourceVersion")

    def _stream(self, version: str) -> Iterator[Event]:
        query = {
            **self._query,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": STREAM_SECONDS,
        }
        pieces = self._api.stream(
            self._path, query, read_timeout=STREAM_SECONDS + 5, opened=self._opened
        )
        with closing(pieces):
            for line in _lines(pieces):
                event = _event(line)
                if event is None:
                    return
                if event.change is not Change.LISTED:
                    self._remember(event)
                    yield event
                if self._over():
                    return

    def _opened(self, response: urllib3.HTTPResponse) -> None:
        with self._lock:
            self._response = response
        if self._stop.is_set():
            self.close()

    def _remember(self, event: Event) -> None:
        uid = fields.text(event.object, "metadata", "uid")
        if event.change is Change.DELETED:
            self._known.pop(uid, None)
        else:
            self._known[uid] = fields.dig(event.object, "metadata")


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _event(line: bytes) -> Event | None:
    """One line of a watch; None ends the stream: an error such as 410, or damage."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kind = fields.text(raw, "type")
    if kind == "BOOKMARK":
        return Event(Change.LISTED, {})
    item = fields.dig(raw, "object")
    if kind not in ("ADDED", "MODIFIED", "DELETED") or not isinstance(item, dict):
        return None
    return Event(Change(kind), item)
