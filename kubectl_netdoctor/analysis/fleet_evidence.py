"""What the fleet view says for and against a finding: whether what it blames differs at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kubectl_netdoctor.analysis.fleet import Fleet, Trait
from kubectl_netdoctor.checks.base import Finding

NAMED = 4  # nodes and traits of one sentence; more are counted


@dataclass(frozen=True, slots=True)
class Bearing:
    """Which traits bear on which findings (patterns of names and IDs), and why.

    `blamed`: findings that put the fault down to these very traits.
    """

    traits: tuple[str, ...]
    findings: tuple[str, ...]
    why: str
    blamed: tuple[str, ...] = ()


BEARINGS = (
    Bearing(
        ("NIC MTU", "overlay MTU"),
        ("MTU-*", "DNS-13"),
        "large packets are lost where sizes do not fit",
        blamed=("MTU-01", "MTU-04"),
    ),
    Bearing(
        ("net.ipv4.tcp_mtu_probing",), ("MTU-*",), "probing gets TCP through where sizes do not fit"
    ),
    Bearing(
        ("kernel",),
        ("ENC-02", "ENC-03", "NIC-*", "MTU-07", "CT-02", "CT-03"),
        "drivers, tunnels and connection tracking are the kernel's",
        blamed=("ENC-02", "NIC-05"),
    ),
    Bearing(
        ("NIC driver", "NIC [rt]x-*", "overlay tx-*"),
        ("ENC-02", "ENC-03", "NIC-*"),
        "drivers and offloads make checksums and segments",
        blamed=("ENC-02", "NIC-05"),
    ),
    Bearing(
        ("hypervisor",),
        ("NODE-01", "NIC-*", "ENC-02", "ENC-03"),
        "virtual switches lose and damage packets, hypervisors withhold time",
    ),
    Bearing(
        ("overlay VNI, port", "overlay kind"),
        ("ENC-*", "RTE-13"),
        "a tunnel takes only what is packed as its own",
        blamed=("ENC-07",),
    ),
    Bearing(
        ("network agent image",),
        ("CNI-*", "ENC-*", "RTE-01", "RTE-02", "RTE-13", "MTU-01", "MTU-05", "POL-*"),
        "the agent writes its node's routes, tunnels and policies",
    ),
    Bearing(
        ("iptables backend",),
        ("NF-*", "SVC-02", "SVC-09"),
        "rules of both backends are in force at once",
        blamed=("NF-03",),
    ),
    Bearing(
        ("Service proxy",),
        ("SVC-*", "API-01", "DNS-21"),
        "another proxy, or none, writes the rules of Services",
        blamed=("SVC-09",),
    ),
    Bearing(("kube-proxy image",), ("SVC-*", "API-01"), "it writes the rules of Services"),
    Bearing(
        ("kubelet", "container runtime"),
        ("CNI-*", "DNS-08", "DNS-19", "SVC-08"),
        "they set up the network of each pod",
    ),
    Bearing(
        ("clock",),
        ("API-*", "NF-05", "DNS-18", "SVC-11", "SVC-12"),
        "certificates and leases go by the clock",
    ),
    Bearing(
        ("net.ipv4.conf.*.rp_filter",),
        ("RTE-08", "RTE-13", "NIC-03", "ENC-01"),
        "strict filtering drops what comes in by another way than it would leave",
        blamed=("RTE-08",),
    ),
    Bearing(
        ("net.ipv4.ip_forward", "net.ipv4.conf.*.forwarding"),
        ("RTE-09", "RTE-13", "DNS-05", "DNS-21", "API-09"),
        "without forwarding no packet of a pod leaves its node",
        blamed=("RTE-09",),
    ),
    Bearing(
        ("net.ipv6.conf.all.*",), ("V6-*",), "they decide over IPv6 on the node", blamed=("V6-01",)
    ),
    Bearing(
        ("net.bridge.bridge-nf-call-iptables",),
        ("NF-04", "SVC-*", "DNS-05", "DNS-21", "API-09"),
        "without it bridged packets of pods miss the rules of Services",
        blamed=("NF-04",),
    ),
    Bearing(
        ("conntrack limit", "net.netfilter.nf_conntrack_*"),
        ("CT-*",),
        "connection tracking goes by them",
    ),
    Bearing(
        ("net.ipv4.ip_local_port_range",),
        ("CT-02", "CT-05"),
        "source ports come from it",
        blamed=("CT-05",),
    ),
    Bearing(("net.ipv4.tcp_ecn",), ("TCP-01",), "it asks for ECN or does not", blamed=("TCP-01",)),
)


def speaks(
    finding: Finding, fleet: Fleet, troubled: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences for and against a finding.

    For: a node that it names is an outlier, and none that it names has what most have. Against: what
    it puts the fault down to is no different on nodes that work. `troubled`: nodes that do not count
    as working, beside those that the finding names.
    """
    return tuple(_for(finding, fleet)), tuple(_against(finding, fleet, {*troubled, *finding.nodes}))


def _fits(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _for(finding: Finding, fleet: Fleet) -> Iterator[str]:
    for bearing in BEARINGS:
        if not _fits(finding.id, bearing.findings):
            continue
        for trait in fleet.traits:
            if not _fits(trait.name, bearing.traits):
                continue
            for most in trait.majorities:
                odd = sorted(finding.nodes & most.outliers.keys())
                if odd and not finding.nodes & set(most.nodes):
                    theirs = ", ".join(f"{most.outliers[n]} on {n}" for n in odd[:NAMED])
                    yield (
                        f"{trait.name}: {theirs}{_more(odd)}, {most.value} on {len(most.nodes)} of "
                        f"{most.known} nodes that should be alike; {bearing.why}"
                    )


def _against(finding: Finding, fleet: Fleet, not_working: Collection[str]) -> Iterator[str]:
    """One sentence about all that is the same, and only where nothing differs."""
    same: list[str] = []
    working: set[str] | None = None
    for trait in fleet.traits:
        theirs = {v for n, v in trait.values.items() if n in finding.nodes}
        if theirs and _is_blamed(trait, finding):
            alike = {n for n, v in trait.values.items() if theirs == {v} and n not in not_working}
            working = alike if working is None else working & alike
            same.append(f"{trait.name} {', '.join(sorted(theirs))}")
    if working:
        yield (
            f"{', '.join(same[:NAMED])}{_more(same)}: the same as on "
            f"{', '.join(sorted(working)[:NAMED])}{_more(working)}, where this was not found; "
            "that alone is not the cause"
        )


def _is_blamed(trait: Trait, finding: Finding) -> bool:
    return any(_fits(finding.id, b.blamed) and _fits(trait.name, b.traits) for b in BEARINGS)


def _more(names: Collection[str]) -> str:
    return f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
