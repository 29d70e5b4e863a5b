"""What in names, besides words, tells whose cluster it is: accounts, domains, reverse names, mail."""

from __future__ import annotations

import dataclasses
import json

import pytest

from kubectl_netdoctor.cli.saved import to_bytes
from kubectl_netdoctor.redaction import mapping
from kubectl_netdoctor.redaction.addresses import Addresses
from kubectl_netdoctor.redaction.mapping import Translator
from kubectl_netdoctor.redaction.pseudonyms import Pseudonyms
from kubectl_netdoctor.redaction.redact import Redaction, redact
from kubectl_netdoctor.redaction.text import Words
from tests.unit.recorded import healthy

KEY = b"k" * 16
NIBBLES = "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.e.4.2.0.0.a.2.ip6.arpa"


def words() -> Words:
    """A fresh table with a namespace of a usual name, a Service and a node in it."""
    found = Words(Addresses(KEY), Pseudonyms())
    found.namespace("cache")
    found.namespace("1")
    found.name("tcp2")
    found.name("shop-20")
    found.name("kube-dns")
    found.node("eth1")
    found.devices.add("eth1")
    return found


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("arn:aws:eks:eu-central-1:123456789012:cluster/prod", "123456789012"),
        ("https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop", "123456789012"),
        ("log-123456789012-eu", "123456789012"),
        ("customer_4711", "4711"),
        ("123456789012-eu", "123456789012"),
        ("from svc-4711@ibm.com to", "4711"),
        ("from svc-4711@ibm.com to", "ibm"),
        ("k8s.shop.target.com", "target"),
        ("https://api.oracle.internal:6443", "oracle"),
        ("ip-10-0-3-7.apple.com", "apple"),
        ("search svc.target.local target.local", "target"),
        ("::10.1.2.3 is", "10.1.2"),
        ("::10.1.2.0/120", "10.1.2"),
        ("3.2.1.10.in-addr.arpa.", "2.1.10"),
        ("lb._dns-sd._udp.2.1.10.in-addr.arpa", "2.1.10"),
        (NIBBLES, "c.e.4.2"),
        ("mac 0011.2233.4455,", "33.4455"),
    ],
)
def test_what_is_taken_out_and_comes_back(text: str, gone: str) -> None:
    """Whichever words our source has in common with a company."""
    found = words()
    hidden = found.text(text)
    assert gone not in hidden
    back = Translator(mapping.from_text(mapping.to_text(Redaction(KEY, found.table))))
    assert back.translate(hidden) == text


@pytest.mark.parametrize(
    "text",
    [
        "[123456789012:98765432101] -A KUBE-SERVICES",
        "1732400000.123456789",
        "registry.k8s.io/pause:3.10",
        "node.kubernetes.io/unreachable",
        "eks.amazonaws.com/nodegroup",
        "in-addr.arpa ip6.arpa",
        "net.ipv4.conf.all.rp_filter",
        "vxlan.calico flannel.1 cni0 eth0 eth1.100",
        "5.14.0-1051-aws",
        "wg-quick@eth0.service",
        "1/20 answered, 53/tcp, 1",
        "kube-dns.kube-system.svc.cluster.local",
    ],
)
def test_what_checks_read_stays(text: str) -> None:
    """Counters, labels, devices, versions, units."""
    assert words().text(text.replace("wg-quick", "udp")) == text.replace("wg-quick", "udp")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"cache/tcp2:http cluster IP"', '"nsq2/q2:http cluster IP"'),
        ('"1/shop-20:http"', '"nsq1/q1-20:http"'),
        ("/api/v1/namespaces/cache/pods", "/api/v1/namespaces/nsq2/pods"),
        ("tcp2.cache.svc.cluster.local", "q2.nsq2.svc.cluster.local"),
        ("a cache/route tcp2", "a cache/route tcp2"),
        ("a cache/route, tcp cache", "a cache/route, tcp cache"),
    ],
)
def test_a_usual_word_is_a_name_where_a_name_stands(text: str, expected: str) -> None:
    """In namespace/object, in requests and in names of Services; elsewhere it is a word."""
    found = words()
    found.table.sort()
    assert found.text(text) == expected


def test_pods_keep_the_beginning_of_their_owners() -> None:
    """Of a public name, the digits of a hash stay too."""
    found = words()
    for name in ("coredns-557684599", "shop-557684599"):
        assert found.name(name + "-x2x4q").startswith(found.name(name) + "-")
    assert found.name("coredns-557684599") == "coredns-557684599"


def test_addresses_agree_in_every_spelling() -> None:
    """Forward and reverse name of one address belong together afterwards too."""
    found = words()
    four, six = found.text("10.1.2.3"), found.text("2a00:24ec::567:89ab")
    assert found.text("3.2.1.10.in-addr.arpa") == ".".join(four.split(".")[::-1]) + ".in-addr.arpa"
    assert found.text("2.1.10.in-addr.arpa") == found.text("3.2.1.10.in-addr.arpa")[2:]
    assert found.text("::10.1.2.3") == f"::{four}"
    assert NIBBLES.startswith("b.a.9.8")
    assert found.text(NIBBLES)[0] == six[-1]


@pytest.mark.parametrize("name", ["arn:aws:eks:eu-central-1:123456789012:cluster/prod", "vxlan"])
def test_the_context_is_one_pseudonym(name: str) -> None:
    """Also in the command; a context that is called like a usual word changes no other text."""
    run = dataclasses.replace(
        healthy().run, context=name, command=("scan", f"--context={name}", "--context", name)
    )
    redaction = Redaction(KEY)
    hidden = redact(dataclasses.replace(healthy(), run=run), redaction)
    shown = hidden.run.context or ""
    assert hidden.run.command == ("scan", f"--context={shown}", "--context", shown)
    assert Translator(redaction).translate(shown) == name
    assert name not in json.dumps([hidden.run.context, hidden.run.command])
    assert b"vxlan" in to_bytes(hidden)
