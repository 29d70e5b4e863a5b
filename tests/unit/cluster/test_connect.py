"""Which cluster is meant: files, flags, contexts."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_netdoctor.cluster.connect import ConnectOptions
from kubectl_netdoctor.errors import ExitCode, NoCluster, UsageError
from tests.unit.cluster.fake_server import FakeServer
from tests.unit.cluster.kubeconfigs import CONTEXT, Connect, kubeconfig, token


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
