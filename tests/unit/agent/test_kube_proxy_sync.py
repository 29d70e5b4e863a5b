"""kube-proxy's own times, as it tells them and where it does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netdoctor.agent import http
from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.collectors.kube_proxy_sync import (
    HEALTH_PORT,
    Sample,
    kube_proxy_sync,
    parse,
    read,
)
from kubectl_netdoctor.agent.run import Run, Window
from kubectl_netdoctor.facts.kube_proxy import RuleSync
from tests.fixtures.recorded import NODES

METRICS = (NODES / "lab-flannel/http/10249.txt").read_text()
WITHOUT_FAMILIES = """\
kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds 1.7e+09
kubeproxy_sync_proxy_rules_last_timestamp_seconds 0
kubeproxy_sync_proxy_rules_endpoint_changes_pending 3
"""


def test_recorded_metrics() -> None:
    """Both families of kube-proxy 1.34, each with both times; nothing waits."""
    families, pending = parse(METRICS)
    assert [f.family for f in families] == ["IPv4", "IPv6"]
    assert all(f.queued and f.synced and f.synced > f.queued for f in families)
    assert pending == {"endpoint": 0, "service": 0}


def test_metrics_of_an_older_release() -> None:
    """No label; a time of 0 is never."""
    families, pending = parse(WITHOUT_FAMILIES)
    assert families == (RuleSync("", 1.7e9, None),)
    assert pending == {"endpoint": 3}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Whatever listens on that port."""
    parse(text)
    parse(METRICS[:300] + text)


def answering(node: Callable[..., Run], answers: dict[int, str | None]) -> Run:
    """A node whose ports answer this."""
    run = node({"proc/1/comm": "systemd\n"})
    run.host.http_text = lambda port, path: answers.get(port)  # type: ignore[method-assign] # noqa: ARG005
    return run


def test_what_hangs_is_not_asked_a_third_time(node: Callable[..., Run]) -> None:
    """The metrics would only cost another time-out."""
    run = answering(node, {HEALTH_PORT: ""})

    def refuse(port: int, path: str) -> Any:
        raise AssertionError(port, path)

    samples = [read(run), read(run)]
    run.host.http_text = refuse  # type: ignore[method-assign]
    fact = kube_proxy_sync(samples[0], samples[1], Window(1.0, run))
    assert (fact.listens, fact.asked, fact.answered, fact.families) == (True, 2, 0, ())


def test_a_closed_health_port_leaves_the_metrics(node: Callable[..., Run]) -> None:
    """The setting healthzBindAddress may be empty; a process is there."""
    run = answering(node, {10249: METRICS})
    fact = kube_proxy_sync(Sample("S", None), Sample("S", None), Window(1.0, run))
    assert (fact.listens, fact.asked, fact.answered) == (True, 1, 1)
    assert len(fact.families) == 2


def test_a_node_without_kube_proxy(node: Callable[..., Run]) -> None:
    """No process, no port."""
    with pytest.raises(NotPresent, match="no kube-proxy process"):
        read(answering(node, {}))


def test_a_silent_port_is_told_from_a_closed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty, and None; a whole answer may come in pieces."""
    monkeypatch.setattr(http, "_TEXT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert http.text(port, "/") == ""

        def serve() -> None:
            server.accept()[0].close()  # of the question before
            with server.accept()[0] as sock:
                sock.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                sock.sendall(b"all")

        threading.Thread(target=serve, daemon=True).start()
        answer = http.text(port, "/")
        assert answer is not None
        assert answer.endswith("\r\n\r\nall")
    assert http.text(port, "/") is None
