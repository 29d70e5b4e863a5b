"""A fake cluster, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.connect import ConnectOptions, connect
from tests.unit.cluster.fake_kubelet import Kubelets
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.cluster.kubeconfigs import Connect
from tests.unit.cluster.quick_run import hurry
from tests.unit.cluster.tls import secured, self_signed


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture
def kubelets(server: FakeServer) -> Kubelets:
    return Kubelets(server)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[[ConnectOptions], Api]]:
    """connect(), closed at the end, with nothing but its options."""
    opened: list[Api] = []

    def open_it(options: ConnectOptions) -> Api:
        opened.append(connect(options, {"KUBECONFIG": str(tmp_path / "none")}))
        return opened[-1]

    yield open_it
    for api in opened:
        api.close()


@pytest.fixture
def api(server: FakeServer, client: Callable[[ConnectOptions], Api]) -> Api:
    return client(ConnectOptions(server=server.url, token="secret"))  # noqa: S106


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Connect]:
    """connect() with an empty home directory; what it opens is closed at the end."""
    monkeypatch.setenv("HOME", str(tmp_path))
    apis: list[Api] = []

    def open_it(options: ConnectOptions | None = None, **environ: str) -> Api:
        apis.append(connect(options or ConnectOptions(), environ))
        return apis[-1]

    yield open_it
    for api in apis:
        api.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeServer]:
    with secured(certificate) as server:
        yield server
