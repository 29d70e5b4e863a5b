"""SVC-08."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kubectl_netdoctor.checks.base import Finding
from kubectl_netdoctor.facts.netfilter import (
    Iptables,
    IptablesChain,
    IptablesRule,
    IptablesRuleset,
    Nftables,
    NftChain,
    NftRule,
)
from kubectl_netdoctor.facts.pod_namespaces import Listener, PodNamespace, PodNamespaces
from kubectl_netdoctor.facts.snapshot import Snapshot
from tests.unit.pod_sockets import change_pods, pod, with_pods
from tests.unit.recorded import change_node, findings, outcomes

LIVE, DEAD = "198.19.2.7", "198.19.2.66"
INGRESS = pod("ingress", LIVE, Listener("::", 80))


def chain(name: str, *specs: str, moved: int | None = 0) -> IptablesChain:
    """One chain of the nat table."""
    rules = tuple(IptablesRule(spec, 0, moved) for spec in specs)
    return IptablesChain("nat", name, None, 0, 0, rules)


def mapped(*ports: tuple[str, str], snapshot: Snapshot, moved: int | None = 0) -> Snapshot:
    """n3 with portmap's chains: for each pod its match and its address."""
    jumps, chains = [], []
    for number, (match, target) in enumerate(ports):
        name = f"CNI-DN-{number:018x}"
        jumps.append(f"-p tcp -m multiport --dports 8080 -j {name}")
        chains.append(
            chain(
                name,
                f"-s 198.19.2.0/24 {match} -j CNI-HOSTPORT-SETMARK",
                f"{match} -j DNAT --to-destination {target}",
                moved=moved,
            )
        )
    entry = chain("CNI-HOSTPORT-DNAT", *jumps, moved=moved)

    def change(fact: Iptables) -> Iptables:
        assert isinstance(fact.nft, IptablesRuleset)
        more = (*fact.nft.chains, entry, *chains)
        return dataclasses.replace(fact, nft=dataclasses.replace(fact.nft, chains=more))

    return change_node(snapshot, "n3", Iptables, change)


TCP = "-p tcp -m tcp --dport 8080"


def found(*ports: tuple[str, str], moved: int | None = 0) -> list[Finding]:
    """What is found on n3 with an ingress pod."""
    return findings("SVC-08", mapped(*ports, snapshot=with_pods(INGRESS), moved=moved))


def test_a_leftover_before_a_living_pod_is_medium() -> None:
    """Both addresses, the victim's name, and commands that take the chain away."""
    (one,) = found((TCP, f"{DEAD}:80"), (TCP, f"{LIVE}:80"))
    assert one.severity == "medium"
    assert one.title == f"hostPort TCP 8080 leads to {DEAD}, a pod that is gone"
    assert any(f"pod ingress ({LIVE}:80)" in e.text for e in one.evidence)
    assert one.fix.commands[0].startswith("iptables-nft -t nat -D CNI-HOSTPORT-DNAT -p tcp")
    assert one.fix.commands[1:] == (
        "iptables-nft -t nat -F CNI-DN-000000000000000000",
        "iptables-nft -t nat -X CNI-DN-000000000000000000",
    )


def test_a_leftover_that_nobody_wants_is_low() -> None:
    """Packets that meet it say that somebody does."""
    (one,) = found((TCP, f"{DEAD}:80"))
    assert one.severity == "low"
    (one,) = found((TCP, f"{DEAD}:80"), moved=3)
    assert one.severity == "medium"


def test_a_leftover_takes_a_port_of_the_node() -> None:
    """The kubelet listens on 10250."""
    (one,) = found(("-p tcp -m tcp --dport 10250", f"{DEAD}:80"))
    assert one.severity == "medium"
    assert any("listens on port 10250" in e.text for e in one.evidence)


def test_two_living_pods_with_one_port() -> None:
    """The first rule wins."""
    (one,) = found((TCP, f"{LIVE}:80"), (TCP, "198.19.2.2:9153"))
    assert "198.19.2.2 gets nothing" in one.title


@pytest.mark.parametrize(
    "ports",
    [
        ((TCP, f"{LIVE}:80"),),
        ((TCP, f"{LIVE}:80"), ("-p udp -m udp --dport 8080", "198.19.2.2:53")),
        ((f"-d 198.18.0.13/32 {TCP}", f"{LIVE}:80"), (f"-d 10.0.0.1/32 {TCP}", "198.19.2.2:80")),
        ((f"-d 198.18.0.13/32 {TCP}", f"{LIVE}:80"), (TCP, "198.19.2.2:80")),
        ((TCP, "10.77.0.5:80"),),
    ],
    ids=["one", "another protocol", "another address", "one address of all", "no pod's address"],
)
def test_what_is_legal(ports: tuple[tuple[str, str], ...]) -> None:
    """Silence."""
    assert found(*ports) == []


def test_a_rule_younger_than_the_window_is_a_pod_that_starts() -> None:
    """Its sandbox may have no process yet."""
    assert found((TCP, f"{DEAD}:80"), moved=None) == []


def test_a_pod_that_ended_inside_the_window() -> None:
    """Its address was there at the window's start."""
    snapshot = mapped((TCP, f"{DEAD}:80"), snapshot=with_pods(INGRESS))
    ended = change_node(
        snapshot, "n3", PodNamespaces, lambda fact: dataclasses.replace(fact, earlier=(DEAD,))
    )
    assert findings("SVC-08", ended) == []


def test_a_sandbox_that_hides_its_address_proves_nothing() -> None:
    """GVisor takes the address off the interface."""

    def hidden(one: PodNamespace) -> PodNamespace:
        return dataclasses.replace(one, addresses=())

    snapshot = change_pods(mapped((TCP, f"{DEAD}:80"), snapshot=with_pods(INGRESS)), hidden)
    assert findings("SVC-08", snapshot) == []
    assert "Skipped" in outcomes("SVC-08", snapshot)


def test_portmaps_nftables_backend() -> None:
    """The same in nft's JSON."""
    statements = [
        {
            "match": {
                "op": "==",
                "left": {"payload": {"protocol": "tcp", "field": "dport"}},
                "right": 8080,
            }
        },
        {"dnat": {"family": "ip", "addr": DEAD, "port": 80}},
    ]
    rule = NftRule(7, json.dumps(statements), None, None)
    table = NftChain("inet", "cni_hostport", "hostports", None, None, None, None, (rule,))
    snapshot = change_node(
        with_pods(),
        "n3",
        Nftables,
        lambda fact: dataclasses.replace(fact, chains=(*fact.chains, table)),
    )
    (one,) = findings("SVC-08", snapshot)
    assert one.fix.commands == ("nft delete rule inet cni_hostport hostports handle 7",)


def test_no_host_ports_no_question() -> None:
    """A node without portmap's chains passes, with or without readable pods."""
    assert outcomes("SVC-08", with_pods()) == {"Passed"}
