"""Certificates of the server and of the user, and the cluster that a pod runs in."""

from __future__ import annotations

import base64
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config

from kubectl_netdoctor.cluster import client as client_module
from kubectl_netdoctor.cluster import connect as connect_module
from kubectl_netdoctor.cluster.connect import ConnectOptions
from kubectl_netdoctor.errors import NoCluster
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.cluster.kubeconfigs import Connect, kubeconfig, token
from tests.unit.cluster.tls import secured, signed


def test_certificates_are_beside_their_kubeconfig(
    opened: Connect, tmp_path: Path, secure: FakeServer, certificate: Path
) -> None:
    """Relative names start at the file that says them."""
    shutil.copy(certificate, tmp_path / "ca.pem")
    file = kubeconfig(tmp_path / "k", secure.url, cluster={"certificate-authority": "ca.pem"})

    assert opened(KUBECONFIG=file).server == secure.url


def test_certificate_data(
    opened: Connect, tmp_path: Path, secure: FakeServer, certificate: Path
) -> None:
    """Certificates inside the kubeconfig are base64."""
    data = base64.b64encode(certificate.read_bytes()).decode()
    file = kubeconfig(tmp_path / "k", secure.url, cluster={"certificate-authority-data": data})

    assert opened(KUBECONFIG=file).version


def test_an_unknown_certificate(opened: Connect, tmp_path: Path, secure: FakeServer) -> None:
    """A server that cannot prove who it is, is not talked to."""
    file = kubeconfig(tmp_path / "k", secure.url)

    with pytest.raises(NoCluster, match="cannot be used: its certificate: self") as caught:
        opened(KUBECONFIG=file)

    assert "certificate-authority" in str(caught.value.hint)


def test_an_authority_that_is_none(opened: Connect, tmp_path: Path, secure: FakeServer) -> None:
    """OpenSSL's reason stands without its decoration."""
    (tmp_path / "ca.pem").write_text("nothing")
    file = kubeconfig(tmp_path / "k", secure.url, cluster={"certificate-authority": "ca.pem"})

    with pytest.raises(NoCluster, match=r"cannot be used: no certificate or crl found$"):
        opened(KUBECONFIG=file)


def test_a_certificate_without_key_identifiers(
    opened: Connect, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.13 checks strictly by default; certificates of many clusters fail that."""
    make = ssl.create_default_context

    def strict(**options: Any) -> ssl.SSLContext:
        context = make(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    with secured(signed(tmp_path / "lax.pem", certificate)) as server:
        bare = strict(cafile=str(certificate))
        with pytest.raises(urllib.error.URLError, match="Authority Key Identifier"):
            urllib.request.urlopen(server.url + "/version", context=bare)  # noqa: S310
        authority = {"certificate-authority": str(certificate)}
        file = kubeconfig(tmp_path / "k", server.url, cluster=authority)

        assert opened(KUBECONFIG=file).version


def test_keys_do_not_stay_in_files(
    opened: Connect,
    tmp_path: Path,
    secure: FakeServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client writes keys of a kubeconfig to files; they are gone before the first request."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    key = certificate.with_suffix(".key")
    user = {
        "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(key.read_bytes()).decode(),
    }
    file = kubeconfig(
        tmp_path / "k", secure.url, user=user, cluster={"certificate-authority": str(certificate)}
    )
    found: list[Path] = []
    secure.rules.append(lambda _request: found.extend(place.rglob("*")))

    assert opened(KUBECONFIG=file).version
    assert opened(KUBECONFIG=file).version
    assert found == []


def test_any_certificate_when_told_so(
    opened: Connect, tmp_path: Path, secure: FakeServer, certificate: Path
) -> None:
    """--insecure-skip-tls-verify puts a configured authority aside."""
    file = kubeconfig(
        tmp_path / "k", secure.url, cluster={"certificate-authority": str(certificate)}
    )

    assert opened(ConnectOptions(insecure_skip_tls_verify=True), KUBECONFIG=file).version


def test_inside_a_cluster(
    opened: Connect,
    secure: FakeServer,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pod without a kubeconfig uses its service account."""
    (tmp_path / "token").write_text("of-the-pod")
    (tmp_path / "namespace").write_text("tools\n")
    for module in (incluster_config, connect_module, client_module):
        monkeypatch.setattr(module, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(certificate))
    host, port = secure.url.removeprefix("https://").split(":")
    place = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    for name, value in place.items():
        monkeypatch.setenv(name, value)

    api = opened(**place)

    assert (api.context, api.namespace, api.server) == (None, "tools", secure.url)
    assert str(secure.requests[-1].headers["Authorization"]).endswith("of-the-pod")
    assert opened(ConnectOptions(token="given"), **place)  # noqa: S106
    assert token(secure) == "given"
