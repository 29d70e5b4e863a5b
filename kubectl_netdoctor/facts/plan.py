"""What the command line asks of one node: which facts, and whom to probe."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.base import SCHEMA_VERSION
from kubectl_netdoctor.facts.probe import DnsRole, PathRole

MAX_PLAN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PeerTarget:
    """Another node: its InternalIP, and the address of its tunnel device where it has one."""

    name: str
    address: str
    overlay: str | None


@dataclass(frozen=True, slots=True)
class TcpTarget:
    """An address and port to connect to."""

    role: PathRole
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class DnsTarget:
    """A DNS server and the question for it."""

    role: DnsRole
    server: str
    port: int
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ExternalTarget:
    """A place that the user named: an address or a DNS name; a port is connected to, else ICMP."""

    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class CompanionTarget:
    """Another node's companion, in the pod network."""

    node: str
    address: str


@dataclass(frozen=True, slots=True)
class CompanionNews:
    """What an agent is told after its start: its own node's companion, and those of its peers.

    `own` is empty where this node has none.
    """

    own: str
    peers: tuple[CompanionTarget, ...]
    service: str = ""  # ClusterIP of the run's own Service


@dataclass(frozen=True, slots=True)
class Plan:
    """One node's orders. The agent needs nothing else, least of all the API server."""

    schema: int
    run: str
    node: str
    facts: tuple[str, ...]  # wire keys
    sysctls: tuple[str, ...]
    window_seconds: float  # between the first and the second reading of every counter
    deadline_seconds: float  # of the whole agent
    probe_timeout_seconds: float  # silence after this is a loss
    peers: tuple[PeerTarget, ...]
    tcp: tuple[TcpTarget, ...]
    dns: tuple[DnsTarget, ...]
    node_resolvers: bool  # also query the servers of the node's own resolv.conf
    dns_zone: str = ""  # the cluster's zone; empty: none is known
    dns_large: str = ""  # the cluster's name whose SRV answer is largest
    dns_names: tuple[str, ...] = ()  # of Services with a ClusterIP, some of them
    companions_within: float = 0.0  # seconds in which news of companions comes; 0: there are none
    responder_token: str = ""  # hexadecimal: what companions answer to, and agents each other
    targets: tuple[ExternalTarget, ...] = ()
    convergence: bool = False  # the run has a Service of its own
    responders: tuple[str, ...] = ()  # nodes of this run with an agent that answers to it
    keep_packets: int = 0  # of marked probes, at most so many, to be handed over beside the report


def introduced(plans: Mapping[str, Plan], token: str) -> dict[str, Plan]:
    """The plans of one run, each with the token and the names of those that its peers answer to."""
    names = tuple(plans)
    return {
        name: dataclasses.replace(
            plan,
            responder_token=token,
            responders=tuple(p.name for p in plan.peers if p.name in names),
        )
        for name, plan in plans.items()
    }


def pack(plan: Plan) -> str:
    """Text for one environment variable."""
    return base64.b64encode(zlib.compress(codec.dumps(plan).encode())).decode()


def unpack(text: str) -> Plan:
    """Read what pack() made. Raises DecodeError."""
    try:
        stream = zlib.decompressobj()
        raw = stream.decompress(base64.b64decode(text, validate=True), MAX_PLAN_BYTES)
    except (ValueError, zlib.error) as exc:
        msg = f"plan: {exc}"
        raise codec.DecodeError(msg) from exc
    plan = codec.decode(Plan, codec.loads(raw))
    if plan.schema != SCHEMA_VERSION:
        msg = f"plan has schema {plan.schema}, this agent speaks {SCHEMA_VERSION}"
        raise codec.DecodeError(msg)
    return plan


def news_text(news: CompanionNews) -> str:
    """Text for one annotation."""
    return codec.dumps(news)


def read_news(text: str) -> CompanionNews:
    """Read what news_text() made. Raises DecodeError."""
    return codec.decode(CompanionNews, codec.loads(text.encode()))
