"""Corefiles: what other plugins are told goes, what checks read stays."""

from __future__ import annotations

import dataclasses

import pytest

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.checks.dns_view_stale import OTHER_ANSWERS
from kubectl_netdoctor.cli.saved import to_bytes
from kubectl_netdoctor.facts.cluster import ConfigMapInfo, ConfigMaps
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction import mapping
from kubectl_netdoctor.redaction.config_maps import without_config_map_secrets
from kubectl_netdoctor.redaction.corefile import IN_ZONE, without_arguments
from kubectl_netdoctor.redaction.redact import Redaction, redact, without_all_secrets
from tests.unit.recorded import recorded

CANARY = "horse"  # as no machine would make it: by its form, it is no secret
PLUGINS = """
    route53 example.org.:Z1 {
        aws_access_key horse horse
    }
    azure rg:example.org {
        secret horse
        subscription horse
    }
    tsig { secret key.example. horse
    }
    etcd example.org {
        credentials root horse
    }
    netbox {
        token "two
        horse"
        url https://netbox # token horse
    }
    pdsql mysql "root:horse@tcp(db)/dns" {
        a { b horse
        } horse
    }
    trace zipkin horse
"""
PLAIN = """(short) {
    errors
}
.:53 https://example.org {
    import short
    health {
        lameduck 5s
    }
    kubernetes cluster.example in-addr.arpa {
        pods insecure
        namespaces a b
        ttl 30
    }
    hosts /etc/hosts {
        10.0.0.1 one
    }
    forward . tls://9.9.9.9 192.0.2.1:5353 /etc/resolv.conf {
        tls_servername dns.example
    }
    cache 30
}
"""
WHOLE = PLAIN.replace("    cache", PLUGINS + "    cache")


def of(data: dict[str, str], name: str = "coredns") -> ConfigMaps:
    """One ConfigMap."""
    return ConfigMaps((ConfigMapInfo("kube-system", name, data),))


def test_what_plugins_are_told_goes_and_their_names_stay() -> None:
    """The next plugin's secrets need no form of their own."""
    clean = without_arguments(WHOLE)
    assert CANARY in WHOLE
    assert CANARY not in clean
    for name in ("route53", "aws_access_key", "azure", "tsig", "netbox", "pdsql", "trace"):
        assert name in clean.split()
    assert without_arguments(clean) == clean


def test_a_corefile_of_known_plugins_stays() -> None:
    """To the byte."""
    assert without_arguments(PLAIN) == PLAIN


def test_checks_read_the_same_of_a_cleaned_corefile() -> None:
    """Zone, upstreams, and that answers may be others."""
    before, after = of({"Corefile": WHOLE}), of({"Corefile": without_arguments(WHOLE)})
    assert cluster_dns.domain(after) == "cluster.example"
    assert cluster_dns.forwards(after) == cluster_dns.forwards(before)
    assert cluster_dns.upstreams(after) == (("192.0.2.1", 5353),)
    assert cluster_dns.uses_node_resolvers(after)


@pytest.mark.parametrize("word", OTHER_ANSWERS)
def test_words_that_keep_a_check_silent_stay(word: str) -> None:
    """As a plugin, and as an option of one that we do not know."""
    for text in (f". {{\n {word} x\n}}", f". {{\n kubernetai x {{\n  {word} x\n }}\n}}"):
        assert word in without_arguments(text).split()


@pytest.mark.parametrize(
    "text",
    [
        ". {\n errors\n}\n}\nazure x {\n secret horse\n}\n",
        ". {\n forward . 192.0.2.1 {\n azure x {\n  secret horse\n }\n}\n",
    ],
)
def test_a_brace_too_many_or_too_few_shows_nothing(text: str) -> None:
    """CoreDNS does not start with such a file, and somebody asks why."""
    assert CANARY not in without_arguments(text)
    assert "secret" in without_arguments(text)


@pytest.mark.parametrize("key", ["a.override", "a.server", "NodeHosts"])
def test_a_piece_of_a_corefile_is_no_server_block(key: str) -> None:
    """In coredns-custom plugins stand at the beginning."""
    text = PLUGINS if key == "a.override" else WHOLE
    maps = without_config_map_secrets(of({key: text}, "coredns-custom"))
    assert CANARY not in maps.items[0].data[key]
    assert "azure" in maps.items[0].data[key]
    assert CANARY not in without_arguments(PLUGINS, IN_ZONE)


def test_a_value_goes_by_the_name_of_its_key() -> None:
    """Cilium's settings are one key each."""
    data = {
        "kvstore-password": "horse",
        "hubble-tls-client-key-file": "/a/b",
        "enable-ipsec-secret": "true",
        "tunnel-protocol": "vxlan",
    }
    maps = without_config_map_secrets(of(data, "cilium-config"))
    assert maps.items[0].data == {**data, "kvstore-password": "***"}


def with_corefile(text: str) -> Snapshot:
    """Of the healthy lab, what the API said, with another Corefile."""
    snapshot = recorded("healthy")
    cluster = {**snapshot.cluster, "config_maps": of({"Corefile": text})}
    return dataclasses.replace(snapshot, nodes=(), cluster=cluster)


def test_neither_a_saved_file_nor_a_map_holds_it() -> None:
    """Secrets are gone before a word gets a pseudonym, so that no map brings them back."""
    snapshot = with_corefile(WHOLE + "# token Xyz8Q~horse1\n")
    redaction = Redaction(bytes(16))
    texts = [
        to_bytes(without_all_secrets(snapshot)).decode(),
        to_bytes(redact(snapshot, redaction)).decode(),
        mapping.to_text(redaction),
    ]
    assert CANARY in to_bytes(snapshot).decode()
    assert [t for t in texts if CANARY in t] == []
