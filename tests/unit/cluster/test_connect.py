"""Which cluster is meant, and what a user is told when it cannot be used."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import incluster_config

from kubectl_netdoctor.cluster import client as client_module
from kubectl_netdoctor.cluster import connect as connect_module
from kubectl_netdoctor.cluster import credentials
from kubectl_netdoctor.cluster.api import Api
from kubectl_netdoctor.cluster.connect import ConnectOptions, connect
from kubectl_netdoctor.errors import ApiDenied, ExitCode, NoCluster, UsageError
from tests.unit.cluster.fake_server import FakeServer, Response, status

Connect = Callable[..., Api]

CONTEXT = (
    "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n"
    "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'"
)
"""A kubeconfig up to the fields of its one cluster."""


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


def kubeconfig(path: Path, server: str, *, name: str = "one", **parts: Any) -> str:
    """A kubeconfig of one context, written to a file; its name."""
    config = {
        "current-context": parts.get("current", name),
        "contexts": [
            {
                "name": name,
                "context": {"cluster": name, "user": name, **parts.get("context", {})},
            }
        ],
        "clusters": [{"name": name, "cluster": {"server": server, **parts.get("cluster", {})}}],
        "users": [{"name": name, "user": parts.get("user", {"token": f"token-of-{name}"})}],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config))
    return str(path)


def token(server: FakeServer) -> str:
    """The bearer token of the last request."""
    return str(server.requests[-1].headers["Authorization"]).removeprefix("Bearer ")


def test_the_default_file(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """~/.kube/config counts where nothing else is said."""
    kubeconfig(tmp_path / ".kube/config", server.url, context={"namespace": "shop"})

    api = opened()

    assert (api.context, api.server, api.namespace) == ("one", server.url, "shop")
    assert api.version["gitVersion"] == "v1.34.4"
    assert token(server) == "token-of-one"
    assert str(server.requests[-1].headers["User-Agent"]).startswith("kubectl-netdoctor/")


def test_the_explicit_file_wins(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """--kubeconfig is looked at alone."""
    chosen = kubeconfig(tmp_path / "chosen", server.url, name="chosen")
    other = kubeconfig(tmp_path / "other", "http://127.0.0.1:1", name="other")

    assert opened(ConnectOptions(kubeconfig=chosen), KUBECONFIG=other).context == "chosen"


def test_several_files(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """KUBECONFIG merges: the first to say something wins, missing files are passed over."""
    first = kubeconfig(tmp_path / "first", server.url, name="one", current="")
    second = kubeconfig(tmp_path / "second", server.url, name="two")
    third = kubeconfig(tmp_path / "third", "http://127.0.0.1:1", name="two", current="one")
    (tmp_path / "empty").write_text("")
    files = [str(tmp_path / "missing"), str(tmp_path / "empty"), first, second, third]

    api = opened(KUBECONFIG=":".join(files))
    assert api.context == "two"
    assert token(server) == "token-of-two"

    assert opened(ConnectOptions(context="one"), KUBECONFIG=":".join(files)).context == "one"
    assert token(server) == "token-of-one"


def test_flags_override_the_context(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """Cluster, user, server, namespace and token are each replaced by their flag."""
    a = kubeconfig(tmp_path / "a", "http://127.0.0.1:1", name="a")
    b = kubeconfig(tmp_path / "b", server.url, name="b")
    files = f"{a}:{b}"

    api = opened(ConnectOptions(cluster="b", user="b", namespace="mine"), KUBECONFIG=files)
    assert (api.context, api.server, api.namespace) == ("a", server.url, "mine")
    assert token(server) == "token-of-b"

    opened(ConnectOptions(server=server.url, token="given"), KUBECONFIG=a)  # noqa: S106
    assert token(server) == "given"


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


def test_any_certificate_when_told_so(
    opened: Connect, tmp_path: Path, secure: FakeServer, certificate: Path
) -> None:
    """--insecure-skip-tls-verify puts a configured authority aside."""
    file = kubeconfig(
        tmp_path / "k", secure.url, cluster={"certificate-authority": str(certificate)}
    )

    assert opened(ConnectOptions(insecure_skip_tls_verify=True), KUBECONFIG=file).version


def test_impersonation_by_flags(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """--as and --as-group travel as headers, one for each group."""
    file = kubeconfig(tmp_path / "k", server.url)
    options = ConnectOptions(impersonate_user="jane", impersonate_groups=("a", "b"))

    opened(options, KUBECONFIG=file)

    headers = server.requests[-1].headers
    assert headers["Impersonate-User"] == "jane"
    assert headers.get_all("Impersonate-Group") == ["a", "b"]


def test_impersonation_by_kubeconfig(server: FakeServer, opened: Connect, tmp_path: Path) -> None:
    """A kubeconfig's `as`, which the Kubernetes client ignores, is obeyed; flags replace it."""
    user = {
        "token": "t",
        "as": "bot",
        "as-uid": "7",
        "as-groups": ["x"],
        "as-user-extra": {"scopes": ["view", "dev"]},
    }
    file = kubeconfig(tmp_path / "k", server.url, user=user)

    opened(KUBECONFIG=file)
    headers = server.requests[-1].headers
    assert (headers["Impersonate-User"], headers["Impersonate-Uid"]) == ("bot", "7")
    assert headers.get_all("Impersonate-Extra-scopes") == ["view", "dev"]

    opened(ConnectOptions(impersonate_user="jane"), KUBECONFIG=file)
    headers = server.requests[-1].headers
    assert headers["Impersonate-User"] == "jane"
    assert headers["Impersonate-Group"] is None


def test_a_group_without_a_user(server: FakeServer, opened: Connect) -> None:
    """The API would ignore it."""
    with pytest.raises(UsageError, match="--as-group needs --as"):
        opened(ConnectOptions(server=server.url, impersonate_groups=("a",)))


@pytest.mark.parametrize(
    ("flag", "options"),
    [
        ("context", ConnectOptions(context="prodction")),
        ("cluster", ConnectOptions(cluster="prodction")),
        ("user", ConnectOptions(user="prodction")),
    ],
)
def test_unknown_names(opened: Connect, tmp_path: Path, flag: str, options: ConnectOptions) -> None:
    """A flag that names nothing is a usage error with what is near."""
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", name="production")

    with pytest.raises(UsageError, match=f"--{flag}: the kubeconfig has no") as caught:
        opened(options, KUBECONFIG=file)

    assert caught.value.hint == "there is: production"
    assert caught.value.exit_code == ExitCode.USAGE


def test_no_cluster_at_all(opened: Connect, tmp_path: Path) -> None:
    """Without a kubeconfig the way on is named."""
    for environ in ({}, {"KUBECONFIG": str(tmp_path / "missing")}):
        with pytest.raises(NoCluster, match="no cluster is configured") as caught:
            opened(**environ)
        assert "--kubeconfig" in str(caught.value.hint)
        assert "scan --local" in str(caught.value.hint)
        assert caught.value.exit_code == ExitCode.COULD_NOT_RUN


def test_no_current_context(opened: Connect, tmp_path: Path) -> None:
    """The contexts to choose from are named."""
    file = kubeconfig(tmp_path / "k", "http://127.0.0.1:1", name="prod", current="")

    with pytest.raises(NoCluster, match="has no current context") as caught:
        opened(KUBECONFIG=file)

    assert caught.value.hint == "choose one with --context; there are: prod"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("current-context: gone", "the kubeconfig has no context 'gone'"),
        ("]", "cannot be read"),
        ("- just\n- a list", "no cluster is configured"),
        ("42", "no cluster is configured"),
        ("contexts: [1, {name: }, {name: x, context: 7}]\ncurrent-context: x", "no cluster is"),
        (
            f"{CONTEXT}, certificate-authority: /nowhere}}}}]",
            "context 'x' of the kubeconfig cannot be used: File does not exist: /nowhere",
        ),
        (
            f"{CONTEXT}, certificate-authority-data: abc}}}}]",
            "context 'x' of the kubeconfig cannot be used",
        ),
    ],
)
def test_odd_kubeconfigs(opened: Connect, tmp_path: Path, text: str, match: str) -> None:
    """One sentence, never a traceback."""
    (tmp_path / "k").write_text(text)

    with pytest.raises(NoCluster, match=match):
        opened(KUBECONFIG=str(tmp_path / "k"))


def test_a_missing_explicit_file(opened: Connect) -> None:
    """--kubeconfig with a wrong name does not fall back to another cluster."""
    with pytest.raises(NoCluster, match="there is no file 'nowhere'"):
        opened(ConnectOptions(kubeconfig="nowhere"))


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


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def self_signed(path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1; its key is beside it."""
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout", path.with_suffix(".key"))
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *new, *subject, "-days", "2", "-out", path)
    return path


def signed(path: Path, authority: Path) -> Path:
    """A certificate of 127.0.0.1 that names no key of its authority."""
    request, extensions = path.with_suffix(".csr"), path.with_suffix(".ext")
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout", path.with_suffix(".key"))
    openssl("req", "-new", *new, "-subj", "/CN=api", "-out", request)
    extensions.write_text(
        "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=none\nsubjectKeyIdentifier=none\n"
    )
    by = ("-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial")
    openssl("x509", "-req", "-in", request, *by, "-extfile", extensions, "-days", 2, "-out", path)
    return path


@contextmanager
def secured(certificate: Path) -> Iterator[FakeServer]:
    """A fake API server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    fake = FakeServer(context)
    try:
        yield fake
    finally:
        fake.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeServer]:
    with secured(certificate) as server:
        yield server
