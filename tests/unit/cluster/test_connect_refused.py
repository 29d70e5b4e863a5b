"""What a user is told when the cluster cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubectl_netdoctor.cluster.connect import ConnectOptions
from kubectl_netdoctor.errors import ApiDenied, NoCluster
from tests.unit.cluster.fake_server import FakeServer, Response, status
from tests.unit.cluster.kubeconfigs import Connect, kubeconfig


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.DependencyWarning")
def test_a_socks_proxy_without_its_library(
    opened: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install is said."""
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
    cluster = {"proxy-url": "socks5://127.0.0.1:1"}

    with pytest.raises(NoCluster, match="has a SOCKS proxy") as caught:
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", "https://127.0.0.1:1", cluster=cluster))

    assert caught.value.hint == "pip install PySocks"


def test_a_proxy_that_is_away(opened: Connect, tmp_path: Path) -> None:
    """The proxy is blamed, not the API server."""
    cluster = {"proxy-url": "http://127.0.0.1:1"}

    with pytest.raises(NoCluster, match="the proxy failed: connection refused"):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", "https://10.0.0.1", cluster=cluster))


def test_refused_credentials(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """401 names the user and what to do."""
    server.on("GET", "/version", status(401, "Unauthorized", "Unauthorized"))
    file = kubeconfig(tmp_path / "k", server.url)

    with pytest.raises(NoCluster, match="refuses the credentials of user 'one'") as caught:
        opened(KUBECONFIG=file)

    assert "expired" in str(caught.value.hint)


def test_forbidden(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """403 is RBAC's, in its words."""
    server.on("GET", "/version", status(403, "Forbidden", 'User "one" cannot get path'))

    with pytest.raises(ApiDenied, match='User "one" cannot get path'):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url))


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, b"<html>Sign in to the hotel's network</html>"),
        Response(404, b"not here"),
        Response(200, b"[1]"),
        Response(302, b"", {"Location": "http://127.0.0.1:1/"}),
        Response(200, b"[" * 100_000),
    ],
)
def test_no_kubernetes_there(
    server: FakeServer, opened: Connect, tmp_path: Path, answer: Response
) -> None:
    """Captive portals and wrong addresses are recognised."""
    server.on("GET", "/version", answer)

    with pytest.raises(NoCluster, match="is no Kubernetes API"):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:1", "connection refused"),
        ("127.0.0.1:1", "https://127.0.0.1:1 cannot be used: connection refused"),
        ("https://no-such-host.invalid:6443", "the name no-such-host.invalid does not resolve"),
        ("https://127.0.0.1:99999", "cannot be used"),
        ("https://[::1", "cannot be used"),
    ],
)
def test_unreachable(opened: Connect, address: str, words: str) -> None:
    """The reason is one phrase, without class names."""
    with pytest.raises(NoCluster, match="cannot be used") as caught:
        opened(ConnectOptions(server=address, token="t"))  # noqa: S106

    assert words in caught.value.message
    assert "Error" not in caught.value.message


def test_silence(server: FakeServer, opened: Connect) -> None:
    """--request-timeout bounds the wait."""
    server.on("GET", "/version", Response(200, hold=30.0))

    with pytest.raises(NoCluster, match=r"no answer within 0\.2 s"):
        opened(ConnectOptions(server=server.url, request_timeout=0.2))
