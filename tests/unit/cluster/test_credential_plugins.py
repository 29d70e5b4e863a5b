"""Credential plugins of a kubeconfig."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_netdoctor.cluster import credentials
from kubectl_netdoctor.errors import NoCluster
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.cluster.kubeconfigs import Connect, kubeconfig, token


def plugin(tmp_path: Path, script: str, **fields: Any) -> dict[str, Any]:
    """A user with a credential plugin."""
    file = tmp_path / "bin/plugin"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!{sys.executable}\nimport json, os, sys\n{script}\n")
    file.chmod(0o755)
    api = "client.authentication.k8s.io/v1"
    return {"exec": {"command": "bin/plugin", "apiVersion": api, **fields}}


def credential(**fields: str) -> str:
    """Python that prints an ExecCredential."""
    return f"print(json.dumps({{'status': {json.dumps(fields)}}}))"


def test_a_credential_plugin(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """It runs beside its kubeconfig, with its arguments and environment, and gives a token."""
    script = (
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "server = info['spec']['cluster']['server']\n"
        "token = '-'.join([sys.argv[1], os.environ['X'], server.split(':')[0], info['kind']])\n"
        "print(json.dumps({'status': {'token': token}}))"
    )
    env = [{"name": "X", "value": "env"}]
    user = plugin(tmp_path, script, args=["arg"], env=env, provideClusterInfo=True)

    opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url, user=user))

    assert token(server) == "arg-env-http-ExecCredential"


def test_a_plugin_with_a_certificate(
    opened: Connect, tmp_path: Path, secure: FakeServer, certificate: Path
) -> None:
    """A client certificate is used as one."""
    pem = certificate.read_text()
    key = certificate.with_suffix(".key").read_text()
    script = credential(clientCertificateData=pem, clientKeyData=key)
    file = kubeconfig(
        tmp_path / "k",
        secure.url,
        user=plugin(tmp_path, script),
        cluster={"certificate-authority": str(certificate)},
    )

    assert opened(KUBECONFIG=file).version


@pytest.mark.parametrize(
    ("script", "match"),
    [
        (
            "sys.stderr.write('token has expired\\nrun aws sso login\\n'); sys.exit(7)",
            "of user 'one' failed with exit code 7: token has expired run aws sso login",
        ),
        ("sys.exit(3)", "failed with exit code 3: it said nothing"),
        ("print('hello'); sys.stderr.write('odd')", "printed no ExecCredential: odd"),
        ("print('{}')", "answered without a token and without a client certificate"),
        (credential(clientCertificateData="x"), "without a token"),
    ],
)
def test_a_plugin_that_fails(
    server: FakeServer, opened: Connect, tmp_path: Path, script: str, match: str
) -> None:
    """The Kubernetes client would go on without credentials; here its words are the error."""
    user = plugin(tmp_path, script)

    with pytest.raises(NoCluster, match=match):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url, user=user))

    assert not server.requests


def test_a_plugin_that_is_not_installed(
    server: FakeServer, opened: Connect, tmp_path: Path
) -> None:
    """Its own hint says how to get it."""
    user = {"exec": {"command": "no-such-plugin", "installHint": "brew install\n  it"}}

    with pytest.raises(NoCluster, match="cannot be started: No such file") as caught:
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url, user=user))

    assert caught.value.hint == "brew install it"


def test_a_plugin_that_hangs(
    server: FakeServer, opened: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is there to answer its questions: it is stopped."""
    monkeypatch.setattr(credentials, "PLUGIN_SECONDS", 0.2)
    user = plugin(tmp_path, "import time; time.sleep(60)")

    with pytest.raises(NoCluster, match=r"gave no answer for 0\.2 s"):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url, user=user))


def test_a_plugin_on_a_terminal(
    server: FakeServer,
    opened: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it asks is shown at once, and still is the error's text."""

    class Terminal:
        """A standard input that is a terminal."""

        @staticmethod
        def isatty() -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    user = plugin(tmp_path, "sys.stderr.write('open this page'); sys.exit(1)")

    with pytest.raises(NoCluster, match="exit code 1: open this page"):
        opened(KUBECONFIG=kubeconfig(tmp_path / "k", server.url, user=user))

    assert capsys.readouterr().err == "open this page"
