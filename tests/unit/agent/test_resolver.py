"""resolv.conf, the kubelet's settings, and which file pods get."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubectl_netdoctor.agent import kubelet
from kubectl_netdoctor.agent.collectors import resolver
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.resolver import KubeletDns, ResolvConf

YAML = """\
apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  webhook:
    enabled: true
clusterDNS:
- 10.96.0.10
- "fd00:10:96::a"   # dual stack
clusterDomain: cluster.local # the default
evictionHard:
  memory.available: 100Mi
resolvConf: /run/systemd/resolve/resolv.conf
tlsCipherSuites: []
"""
NODE = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.org\n"
REAL = "nameserver 192.0.2.53\nnameserver 192.0.2.54\n"


def files(*flags: str, comm: str = "kubelet", **more: str) -> dict[str, str]:
    """A node with a kubelet that has these flags."""
    args = ["/usr/bin/kubelet", "--kubeconfig=/secret/kubeconfig", *flags]
    return {
        "etc/resolv.conf": NODE,
        "run/systemd/resolve/resolv.conf": REAL,
        "proc/1/comm": "systemd\n",
        "proc/77/comm": f"{comm}\n",
        "proc/77/cmdline": "\0".join(args) + "\0",
        **more,
    }


def test_last_search_line_counts() -> None:
    """resolv.conf(5): `domain` and `search` exclude each other, options add up."""
    text = "# c\n; c\ndomain a\nsearch b c\nnameserver 192.0.2.1 extra\noptions x\noptions y:2\n"
    assert resolver.parse(text) == ResolvConf("", ("192.0.2.1",), ("b", "c"), ("x", "y:2"))
    assert resolver.parse("search a\ndomain b c\n").search == ("b",)
    assert resolver.parse("nameserver\n#nameserver 1\n").nameservers == ()


def test_yaml_and_json_say_the_same() -> None:
    """Kubeadm writes YAML, other installers JSON."""
    expected = KubeletDns(
        "/run/systemd/resolve/resolv.conf", ("10.96.0.10", "fd00:10:96::a"), "cluster.local"
    )
    assert kubelet.parse_config(YAML) == expected
    json = (
        '{"clusterDNS": ["10.96.0.10", "fd00:10:96::a"], "clusterDomain": "cluster.local", '
        '"resolvConf": "/run/systemd/resolve/resolv.conf"}'
    )
    assert kubelet.parse_config(json) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "clusterDNS: [10.0.0.10, '10.0.0.11']\n",
            KubeletDns(None, ("10.0.0.10", "10.0.0.11"), None),
        ),
        ("clusterDNS:\n  - 10.0.0.10\nresolvConf: ''\n", KubeletDns("", ("10.0.0.10",), None)),
        (
            "nested:\n  clusterDomain: wrong\n  clusterDNS:\n  - 1.1.1.1\n",
            KubeletDns(None, (), None),
        ),
        ("- clusterDomain: wrong\n", KubeletDns(None, (), None)),
        ("[1, 2]", KubeletDns(None, (), None)),
        ("", KubeletDns(None, (), None)),
    ],
)
def test_other_forms(text: str, expected: KubeletDns) -> None:
    """Flow lists, indented lists, and keys that only look right."""
    assert kubelet.parse_config(text) == expected


def test_flags_in_both_forms() -> None:
    """A value may stand in the same or in the next argument; other flags are not looked at."""
    args = ["kubelet", "--cluster-dns=10.0.0.10,10.0.0.11", "--token", "s3cret", "--config", "/c"]
    assert kubelet.flags(args) == {"cluster-dns": "10.0.0.10,10.0.0.11", "config": "/c"}
    assert kubelet.flags(["--config"]) == {}


def test_pods_get_the_kubelets_file(node: Callable[..., Run]) -> None:
    """Behind systemd-resolved the node's file is not the one that pods get."""
    run = node(
        files("--config=/var/lib/kubelet/config.yaml", **{"var/lib/kubelet/config.yaml": YAML})
    )
    fact = resolver.resolver(run)
    assert fact.node == ResolvConf(
        "/etc/resolv.conf", ("127.0.0.53",), ("example.org",), ("edns0", "trust-ad")
    )
    assert isinstance(fact.pods, ResolvConf)
    assert fact.pods.path == "/run/systemd/resolve/resolv.conf"
    assert fact.pods.nameservers == ("192.0.2.53", "192.0.2.54")
    assert resolver.name_servers(run.host) == ("127.0.0.53", "192.0.2.53", "192.0.2.54")


def test_a_flag_goes_before_the_file(node: Callable[..., Run]) -> None:
    """The kubelet's own order; the file is looked for in the kubelet's root first."""
    own = {"proc/77/root/etc/k.yaml": YAML, "etc/k.yaml": "clusterDomain: wrong\n"}
    run = node(files("--config", "/etc/k.yaml", "--resolv-conf=/etc/resolv.conf", **own))
    fact = resolver.resolver(run)
    assert fact.kubelet == KubeletDns(
        "/etc/resolv.conf", ("10.96.0.10", "fd00:10:96::a"), "cluster.local"
    )
    assert fact.pods == fact.node


def test_empty_resolv_conf_means_none(node: Callable[..., Run]) -> None:
    """A kubelet that was told so hands pods no server of the node."""
    fact = resolver.resolver(node(files("--resolv-conf=")))
    assert isinstance(fact.pods, Missing)
    assert fact.pods.reason is Reason.NOT_PRESENT


def test_no_kubelet_process(node: Callable[..., Run]) -> None:
    """k3s has its kubelet inside its own process: the settings are not there, the files are."""
    fact = resolver.resolver(node(files(comm="k3s-agent")))
    assert isinstance(fact.kubelet, Missing)
    assert fact.kubelet.reason is Reason.NOT_PRESENT
    assert fact.pods == fact.node


def test_a_file_that_is_not_there(node: Callable[..., Run]) -> None:
    """Each part is absent alone."""
    bare = {name: text for name, text in files("--resolv-conf=/gone").items() if "etc" not in name}
    fact = resolver.resolver(node(bare))
    assert isinstance(fact.node, Missing)
    assert isinstance(fact.pods, Missing)
    assert fact.pods.detail == "/gone does not exist"
    assert isinstance(fact.kubelet, KubeletDns)
