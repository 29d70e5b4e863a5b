"""The resolvers that cluster DNS forwards to, as one node saw them."""

from __future__ import annotations

from kubectl_netdoctor.checks import cluster_dns
from kubectl_netdoctor.facts.cluster import ConfigMaps
from kubectl_netdoctor.facts.probe import DnsProbe, DnsProbes

FAILING = ("SERVFAIL", "REFUSED")


def servers(probes: DnsProbes, maps: ConfigMaps | None) -> dict[str, list[DnsProbe]]:
    """Probes of the servers that count, by address.

    Servers named in the Corefile; the node's own only where the Corefile points to its resolv.conf,
    or where there is no Corefile to read (then they are all that we know).
    """
    roles = {"upstream"}
    if maps is None or not cluster_dns.corefile(maps) or cluster_dns.uses_node_resolvers(maps):
        roles.add("node-resolver")
    out: dict[str, list[DnsProbe]] = {}
    for probe in probes.items:
        if probe.role in roles:
            out.setdefault(probe.server, []).append(probe)
    return out


def helps(probe: DnsProbe) -> bool:
    """Whether any answer was more than a refusal."""
    return any(n for rcode, n in probe.rcodes.items() if rcode not in FAILING)


def text(probe: DnsProbe) -> str:
    """What became of the queries, for people."""
    seen = {**probe.rcodes, **probe.errors}
    counts = ", ".join(f"{n} {what}" for what, n in sorted(seen.items()))
    return f"{probe.server} {probe.transport.upper()}: {probe.answered}/{probe.sent} answered ({counts})"
