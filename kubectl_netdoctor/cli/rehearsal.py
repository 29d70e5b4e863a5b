"""`scan --dry-run`: what a scan would create and send, in words or as the objects themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable

import yaml
from tabulate import tabulate

from kubectl_netdoctor.cli.scan import Orders
from kubectl_netdoctor.cluster import bodies
from kubectl_netdoctor.cluster.manifest import Json, Owner
from kubectl_netdoctor.facts import budget, captures
from kubectl_netdoctor.facts import plan as plans
from kubectl_netdoctor.facts.plan import Plan
from kubectl_netdoctor.report.terminal import clean

_MOST_PEERS = 6  # that are named in a row
_UNKNOWN = Owner("netdoctor-RUN", "UID-OF-THE-ANCHOR")
_TOKEN = "TOKEN-OF-THE-RUN"  # noqa: S105 - a place holder


def rehearsal(orders: Orders, _form: str) -> str:
    """The plan for people: objects, targets of each node, bounds."""
    options = orders.options
    tried = [name for name in orders.chosen if name not in orders.skip]
    kind = "Pod" if options.uses_pods(len(tried)) else "Job"
    lines = [
        f"DRY RUN: nothing was created. In namespace {options.namespace} a scan would create:",
        "  1 Job that runs nothing and owns the rest",
        f"  {len(tried)} {kind}(s) with the privileged agent {options.image.name}",
    ]
    if options.convergence:
        lines.append("  1 Service in front of the companions")
    if options.companions:
        lines.append(
            f"  up to {len(tried)} unprivileged companion Pod(s) in the pod network, where the node "
            "forwards already"
        )
    else:
        lines.append(f"  no companions: {options.no_companions}")
    lines += [
        (
            f"All of it is removed at the end, and by the API server after {options.lifetime:g} s at the "
            "latest."
        ),
        "",
        *_bounds(orders),
        *_kept(orders),
        "",
        _table(orders.plans[name] for name in tried),
    ]
    lines += [f"not tried: {name}: {why}" for name, why in orders.skip.items()]
    return "\n".join(clean(line) for text in lines for line in text.splitlines() or [""]) + "\n"


def objects(orders: Orders, form: str) -> str:
    """The objects, as they would be sent but for what only the run knows: UID and token."""
    made = _objects(orders)
    if form == "json":
        listed = {"apiVersion": "v1", "kind": "List", "items": made}
        return json.dumps(listed, indent=2) + "\n"
    return yaml.safe_dump_all(made, sort_keys=False, width=100)


def _objects(orders: Orders) -> list[Json]:
    options = orders.options
    tried = [name for name in orders.chosen if name not in orders.skip]
    as_pod = options.uses_pods(len(tried))
    made = [bodies.anchor(options)]
    if options.convergence:
        made.append(bodies.own_service(options, _UNKNOWN))
    for name in tried:
        plan = plans.pack(orders.plans[name])
        made.append(bodies.agent(options, name, plan, _UNKNOWN, as_pod=as_pod))
        if options.companions:
            made.append(bodies.companion(options, name, _TOKEN, _UNKNOWN))
    return made


def _bounds(orders: Orders) -> list[str]:
    window = next(iter(orders.plans.values())).window_seconds
    companions = orders.options.companions
    share = {
        "to nodes and tunnels": budget.PATHS,
        "of varied size": budget.SIZES,
        "to DNS servers": budget.DNS_WITH_COMPANION if companions else budget.DNS,
    }
    if companions:
        share["to and from the pod network"] = budget.PODS
    uploads = ""
    if len(orders.plans) > len(orders.skip) + 1:
        share["between the agents"] = budget.TRANSPORT
        uploads = f" TCP uploads to the other agents take at most {budget.UPLOADS >> 20} MiB."
    parts = ", ".join(f"{count} {what}" for what, count in share.items())
    return [
        (
            f"Each node would send at most {sum(share.values())} packets a second for {window:g} s: "
            f"{parts}.{uploads}"
        ),
    ]


def _kept(orders: Orders) -> list[str]:
    most = next(iter(orders.plans.values())).keep_packets
    if not most:
        return []
    return [
        (
            f"With --pcap each node would keep at most {most} packets of the run's own marked probes, "
            f"the first {captures.FLOW_PACKETS} of each flow on each interface and "
            f"{captures.PACKET_BYTES} bytes of each: {captures.node_bytes(most) / 1000:.0f} kB at most. "
            "No other packet is captured."
        ),
    ]


def _table(found: Iterable[Plan]) -> str:
    rows = [
        (
            plan.node,
            _some([peer.name for peer in plan.peers]),
            ", ".join(f"{t.address}:{t.port}" for t in plan.tcp) or "-",
            ", ".join(dict.fromkeys(t.server for t in plan.dns)) or "-",
        )
        for plan in found
    ]
    headers = ("NODE", "PROBES THESE NODES", "CONNECTS TO", "ASKS THESE DNS SERVERS")
    return tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True)


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_PEERS
    return (", ".join(names[:_MOST_PEERS]) or "-") + (f" and {more} more" if more > 0 else "")
