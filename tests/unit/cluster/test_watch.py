"""A watch: list, follow, and list again, whatever happens to the stream."""

from __future__ import annotations

import itertools
import json
import threading
import time
from typing import Any

import pytest

from kubectl_netdoctor.cluster import watch as watch_module
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import ApiError
from kubectl_netdoctor.cluster.watch import Change, Event
from tests.unit.cluster.fake_server import FakeServer, Request, Response, status

PODS = "/api/v1/namespaces/x/pods"


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "x"}}


def names(events: list[Event]) -> list[tuple[str, str]]:
    """Changes of objects, without the news about the line."""
    return [
        (str(e.change), e.object["metadata"]["name"])
        for e in events
        if e.change not in (Change.LISTED, Change.LOST)
    ]


def take(watch: watch_module.Watch, count: int) -> list[Event]:
    """The first events that are about objects."""
    about = (e for e in watch if e.object)
    found = list(itertools.islice(about, count))
    watch.close()
    return found


def test_what_is_there_and_what_comes(api: Api, server: FakeServer) -> None:
    """Objects that exist are ADDED; changes follow."""
    first = server.store.add("pods", pod("a"))
    watch = api.watch(PODS, None, seconds=5.0)

    def change() -> None:
        server.store.add("pods", pod("b"))
        server.store.update("pods", first)
        server.store.remove("pods", first)

    threading.Timer(0.1, change).start()

    assert names(take(watch, 4)) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "a"),
    ]


def test_a_stream_that_closes(api: Api, server: FakeServer) -> None:
    """What happened between two streams is found by the next list, deletions too."""
    server.watch_seconds = 0.05
    first = server.store.add("pods", pod("a"))
    watch = api.watch(PODS, {"labelSelector": ""}, seconds=5.0)
    events = iter(watch)
    while names([next(events)]) != [("ADDED", "a")]:
        pass
    changes = list(server.store.changes)
    server.store.remove("pods", first)
    server.store.changes[:] = [*changes, (len(changes) + 1, "nodes", "ADDED", pod("unseen"))]

    found = next(e for e in events if e.change is Change.DELETED)
    watch.close()

    assert found.object["metadata"]["name"] == "a"


@pytest.mark.parametrize(
    "line",
    [
        {"type": "ERROR", "object": {"code": 410, "reason": "Expired"}},
        {"type": "ADDED", "object": None},
        {"type": "WHATEVER", "object": {}},
        [1],
    ],
)
def test_a_stream_that_ends_in_an_error(api: Api, server: FakeServer, line: object) -> None:
    """410 and nonsense both mean: list again."""
    body = json.dumps(line).encode() + b"\n"
    once = [Response(200, body), Response(200, b"{ not json\n")]
    server.rules.append(lambda r: once.pop() if once and "watch" in r.query else None)
    server.store.add("pods", pod("a"))
    threading.Timer(0.3, lambda: server.store.add("pods", pod("b"))).start()

    found = names(take(api.watch(PODS, None, seconds=5.0), 4))

    assert found[-1] == ("ADDED", "b")
    assert set(found[:-1]) == {("ADDED", "a"), ("MODIFIED", "a")}
    assert not once


def test_bookmarks_are_a_sign_of_life(api: Api, server: FakeServer) -> None:
    """They are no object."""
    line = json.dumps({"type": "BOOKMARK", "object": pod("mark")}).encode() + b"\n"
    once = [Response(200, line)]
    server.rules.append(lambda r: once.pop() if once and "watch" in r.query else None)

    watch = api.watch(PODS, None, seconds=5.0)
    events = list(itertools.islice(watch, 2))
    watch.close()

    assert [e.change for e in events] == [Change.LISTED, Change.LISTED]


def test_an_api_that_is_away(api: Api, server: FakeServer) -> None:
    """The watch says so, and tries again, slower and slower."""
    watch = api.watch(PODS, None, seconds=0.8)
    events = []
    for event in watch:
        events.append(event)
        server.stop()

    assert events[0].change is Change.LISTED
    lost = [e for e in events if e.change is Change.LOST]
    assert 2 <= len(lost) <= 8
    assert "connection refused" in str(lost[-1].error)


def test_an_api_that_refuses(api: Api, server: FakeServer) -> None:
    """Trying again would not help."""
    server.on("GET", "/pods$", status(403, "Forbidden", "no list"))

    with pytest.raises(ApiError, match="no list"):
        list(api.watch(PODS, None, seconds=5.0))


def test_closing_from_another_thread(api: Api) -> None:
    """A watch that waits for the server ends at once."""
    watch = api.watch(PODS, None, seconds=60.0)
    threading.Timer(0.2, watch.close).start()

    begun = time.monotonic()
    list(watch)

    assert time.monotonic() - begun < 1.5
    watch.close()
    assert list(watch) == []


def test_its_time_is_bounded(api: Api, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends each stream; the watch ends by itself."""
    monkeypatch.setattr(watch_module, "STREAM_SECONDS", 1)
    asked: list[Request] = []
    server.rules.append(lambda r: asked.append(r) if "watch" in r.query else None)
    server.watch_seconds = 0.1

    list(api.watch(PODS, None, seconds=0.4))

    assert asked[0].query["timeoutSeconds"] == "1"
    assert asked[0].query["allowWatchBookmarks"] == "true"
    assert len(asked) >= 2
