"""The API as plain JSON: pages, limits, retries, and every failure as one ApiError."""

from __future__ import annotations

import gzip
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kubectl_netdoctor.cluster import api as api_module
from kubectl_netdoctor.cluster import transport
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.api_errors import ApiError, Unreachable
from tests.unit.cluster.fake_server import FakeServer, Request, Response, status

PODS = "/api/v1/namespaces/x/pods"


def fill(server: FakeServer, count: int) -> None:
    """Put nodes into the cluster."""
    for number in range(count):
        server.store.add("nodes", {"metadata": {"name": f"n{number}", "managedFields": [1]}})


def test_lists_come_in_pages(api: Api, server: FakeServer) -> None:
    """Every item once, whatever the page size, without managedFields."""
    fill(server, 7)

    items = list(api.list("/api/v1/nodes", limit=3))

    assert [i["metadata"]["name"] for i in items] == [f"n{n}" for n in range(7)]
    assert all("managedFields" not in i["metadata"] for i in items)
    assert [r.query.get("continue") for r in server.asked("GET", "/nodes$")] == [None, "3", "6"]


def test_a_list_that_expires_goes_on(api: Api, server: FakeServer) -> None:
    """410 with a token goes on from there."""
    fill(server, 4)
    gone = status(410, "Expired", "too old", **{"continue": "2"})
    expire = [gone]
    server.rules.append(lambda r: expire.pop() if expire and "continue" in r.query else None)

    assert len(list(api.list("/api/v1/nodes", limit=2))) == 4


def test_a_list_that_expires_starts_again(api: Api, server: FakeServer) -> None:
    """410 without a token starts once more, then gives up: no endless loop."""
    fill(server, 4)
    times = [1]

    def expire(request: Request) -> Response | None:
        if "continue" in request.query and times:
            times.pop()
            return status(410, "Expired", "too old")
        return None

    server.rules.append(expire)
    names = [i["metadata"]["name"] for i in api.list("/api/v1/nodes", limit=2)]
    assert names == ["n0", "n1", "n0", "n1", "n2", "n3"]

    times += [1] * 10
    with pytest.raises(ApiError, match="too old"):
        list(api.list("/api/v1/nodes", limit=2))


def test_compressed_lists(api: Api, server: FakeServer) -> None:
    """Lists may come compressed: they are large, and links slow."""
    body = gzip.compress(json.dumps({"items": [{"metadata": {"name": "a"}}, 7, None]}).encode())
    server.on("GET", "/nodes$", Response(200, body, {"Content-Encoding": "gzip"}))

    assert [i["metadata"]["name"] for i in api.list("/api/v1/nodes")] == ["a"]
    assert server.requests[-1].headers["Accept-Encoding"] == "gzip"


def test_warnings_of_a_create(api: Api) -> None:
    """The Warning header is handed on."""
    made, warnings = api.create(PODS, {"metadata": {"name": "p"}})

    assert made["metadata"]["namespace"] == "x"
    assert warnings == ('would violate "it"',)


def test_busy_server(api: Api, server: FakeServer) -> None:
    """429 is waited out, for reads and for writes."""
    server.on("GET", "/nodes/n0$", Response(429, b"{}", {"Retry-After": "0"}), times=2)
    server.on("POST", "/pods$", Response(429, b"{}", {"Retry-After": "0"}), times=2)
    fill(server, 1)

    assert api.get("/api/v1/nodes/n0")
    assert api.create(PODS, {"metadata": {"name": "p"}})


@pytest.mark.parametrize("after", ["0", "9999", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_server_that_stays_busy(
    api: Api, server: FakeServer, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting is bounded by number and by time."""
    monkeypatch.setattr(transport, "BUSY_SECONDS", 0.5)
    server.on("GET", ".", Response(429, b'{"message": "slow down"}', {"Retry-After": after}))

    with pytest.raises(ApiError, match="slow down") as caught:
        api.get("/api/v1/nodes/n0")

    assert caught.value.status == 429
    assert len(server.asked("GET", "/nodes/n0")) <= transport.BUSY_TRIES


def test_errors_have_the_apis_words(api: Api, server: FakeServer) -> None:
    """Status, reason and message; odd bodies are quoted shortly."""
    with pytest.raises(ApiError) as caught:
        api.get("/api/v1/nodes/none")
    error = caught.value
    assert (error.status, error.reason, error.said) == (404, "NotFound", 'nodes "none" not found')
    assert error.message == 'the API says: nodes "none" not found'

    for body, said in ((b"\xff\x1b[2J" + b"x" * 900, "� [2Jxxx"), (b"", "502 Bad Gateway")):
        server.rules[:] = [lambda _r, body=body: Response(502, body)]  # type: ignore[misc]
        with pytest.raises(ApiError) as caught:
            api.get("/x")
        assert caught.value.said.startswith(said)
        assert len(caught.value.said) < 250


def test_deleting_what_is_gone(api: Api, server: FakeServer) -> None:
    """404 is an answer, other errors are errors."""
    assert api.delete("/api/v1/nodes/none") is False

    server.on("DELETE", ".", status(409, "Conflict", "no"))
    with pytest.raises(ApiError, match="no"):
        api.delete("/api/v1/nodes/none")


def test_a_kept_connection_that_was_closed(api: Api, server: FakeServer) -> None:
    """A read is sent again when the server had closed the connection meanwhile."""
    drop = [1]

    def close(request: Request) -> Response | None:
        if request.path.endswith("/n0") and drop and drop.pop():
            raise BrokenPipeError
        return None

    server.rules.append(close)
    fill(server, 1)

    assert api.get("/api/v1/nodes/n0")
    assert len(server.asked("GET", "/n0$")) == 2


def test_silence_and_broken_lines(api: Api, server: FakeServer) -> None:
    """Whether there was a connection decides whether trying again is worth it."""
    server.on("GET", "/hangs", Response(200, hold=5.0))
    server.on("GET", "/breaks", Response(200, b"{}" * 500, cut=True))
    api.timeout = (1.0, 0.1)

    with pytest.raises(Unreachable, match=r"no answer within 0\.1 s") as caught:
        api.get("/hangs")
    assert (caught.value.timed_out, caught.value.connected) == (True, True)

    with pytest.raises(Unreachable) as caught:
        api.get("/breaks")
    assert (caught.value.timed_out, caught.value.connected) == (False, True)

    server.stop()
    with pytest.raises(Unreachable, match="connection refused") as caught:
        api.get("/version")
    assert (caught.value.timed_out, caught.value.connected) == (False, False)


def test_at_most_ten_connections(api: Api, server: FakeServer) -> None:
    """However many threads ask, ten wait for the server."""
    now = [0]
    most = [0]
    lock = threading.Lock()

    def count(request: Request) -> Response | None:
        if not request.path.endswith("/slow"):
            return None
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return Response(200)

    server.rules.append(count)
    with ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda _: api.get("/slow"), range(60)))

    assert most[0] == transport.CONNECTIONS == 10
    assert len(server.connections) <= 10


def test_a_log_is_bytes(api: Api, server: FakeServer) -> None:
    """Nothing is decoded: a log may hold anything."""
    raw = bytes(range(256)) * 300
    server.on("GET", "/log$", Response(200, raw))

    assert api.log("x", "p", seconds=5.0, container="agent") == raw
    assert server.requests[-1].query["container"] == "agent"


def test_a_log_that_drips(api: Api, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is for the whole log, not for each piece; its size is bounded too."""
    server.on("GET", "/log$", Response(200, b"x" * 100, drip=0.02))
    with pytest.raises(Unreachable, match=r"no complete log within 0\.2 s"):
        api.log("x", "p", seconds=0.2)

    monkeypatch.setattr(api_module, "MAX_LOG_BYTES", 5)
    assert len(api.log("x", "p", seconds=5.0)) == 6


def test_closing_ends_waiting(api: Api, server: FakeServer) -> None:
    """A request that waits for a busy server gives up when the API is closed."""
    server.on("GET", ".", Response(429, b"{}", {"Retry-After": "20"}))
    threading.Timer(0.1, api.close).start()

    begun = time.monotonic()
    with pytest.raises(Unreachable, match="closed"):
        api.get("/x")
    assert time.monotonic() - begun < 2


def test_the_servers_clock(api: Api, server: FakeServer) -> None:
    """Times of objects are compared with the clock that made them, not with this machine's."""
    server.on("GET", "/late$", Response(200, b"{}", {"Date": "Thu, 01 Jan 2099 00:00:00 GMT"}))
    server.on("GET", "/odd$", Response(200, b"{}", {"Date": "soon"}))

    api.get("/late")
    assert (api.now().year, api.now().month) == (2099, 1)
    api.get("/odd")
    assert api.now().year == 2099
