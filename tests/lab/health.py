"""Whether a lab is as it was after its start: asked of the cluster and of every node at once."""

import hashlib
import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from tests.lab.commands import run
from tests.lab.control_plane import running
from tests.lab.errors import LabError
from tests.lab.node import Node
from tests.lab.spec import DNS_DOMAIN, DNS_SERVICE, HERE, PODS, RACK, Spec

_PROBE_SECONDS = 0.8
_SHOWN = 6  # differences of one node that are told one by one
_FORWARDING = "sysctl net/ipv4/ip_forward"
# The bridge of the pods comes with a node's first pod, and what hangs on it.
_BRIDGE = re.compile(r"\bcni0\b")

_DIGEST = re.compile(r"[0-9a-f]{12}")

Settings = dict[str, dict[str, str]]


class Health:
    """The look at a lab that its tests start and end with."""

    def __init__(self, spec: Spec, nodes: Sequence[str]) -> None:
        """Say which lab, and which nodes it should have."""
        self.spec = spec
        self.nodes = {name: Node(spec, name) for name in nodes}

    @property
    def _baseline(self) -> Path:
        return self.spec.home / "baseline.json"

    def record(self) -> None:
        """Write down the settings of now as those of a healthy lab."""
        self._baseline.write_text(json.dumps(self._settings(*self._look()), indent=1))

    def unready(self) -> list[str]:
        """Return the nodes that are not Ready, by what the API server says."""
        ready = {node["name"] for node in self._ask_api().get("nodes", ()) if node["ready"]}
        return [name for name in self.nodes if name not in ready]

    def wait(self, seconds: float) -> None:
        """Wait until nothing is unwell; a LabError says what still is."""
        end = time.monotonic() + seconds
        while found := self.sentences():
            if time.monotonic() > end:
                listed = "\n".join(found)
                message = f"not healthy after {seconds:g} s (logs: {self.spec.logs}):\n{listed}"
                raise LabError(message)
            time.sleep(0.3)

    def sentences(self) -> list[str]:
        """Return a sentence for each thing that is not well; none for a healthy lab."""
        cluster, seen = self._look()
        found = [f"{name} does not run" for name, pid in running(self.spec).items() if pid is None]
        found += [*self._of_cluster(cluster), *self._of_nodes(seen)]
        if "error" not in cluster:
            found += self._of_probes(cluster, seen)
        if self._baseline.exists():
            before = json.loads(self._baseline.read_text())
            found += differences(before, self._settings(cluster, seen))
        return found

    def _look(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Ask the API server and look at the rack and each node."""
        places = [RACK, *self.nodes]
        with ThreadPoolExecutor(len(places) + 1) as pool:
            cluster = pool.submit(self._ask_api)
            seen = dict(zip(places, pool.map(self._look_at, places), strict=True))
            return cluster.result(), seen

    def _ask_api(self) -> dict[str, Any]:
        return _ask([*self._in_rack, *_script("on_api.py"), str(self.spec.kubeconfig)], "")

    @property
    def _in_rack(self) -> list[str]:
        return ["ip", "netns", "exec", self.spec.rack_netns]

    def _look_at(self, name: str) -> dict[str, Any]:
        return self._on_node(name, {"look": True})

    def _on_node(self, name: str, question: Mapping[str, object]) -> dict[str, Any]:
        try:
            enter = self._in_rack if name == RACK else self.nodes[name].enter()
        except LabError as error:
            return {"error": str(error).removeprefix(f"{name}: ")}
        return _ask([*enter, *_script("on_node.py")], json.dumps(question))

    def _of_cluster(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        if "error" in cluster:
            yield f"the API server does not answer: {cluster['error']}"
            return
        known = {node["name"]: node for node in cluster["nodes"]}
        for name in self.nodes:
            node = known.get(name)
            if node is None:
                yield f"node {name} is not registered"
                continue
            if not node["ready"]:
                yield f"node {name} is not Ready"
            if node["cordoned"]:
                yield f"node {name} is cordoned"
            yield from (f"node {name} has the taint {taint}" for taint in node["taints"])
        for pod in cluster["pods"]:
            if pod["ending"]:
                yield f"pod {pod['name']} on {pod['node']} is being deleted"
            elif not pod["ready"] and pod["phase"] != "Succeeded":
                yield f"pod {pod['name']} on {pod['node'] or 'no node'} is not ready"
        if not cluster["dns"]:
            yield "CoreDNS has no ready endpoint"
        yield from (f"{left} was left behind" for left in cluster["ours"])

    def _of_nodes(self, seen: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        for name, node in seen.items():
            if "error" in node:
                yield f"{name}: {node['error']}"
                continue
            if name == RACK:
                continue
            yield from (f"{name}: {daemon} does not run" for daemon in node["stopped"])
            if node["settings"].get(_FORWARDING) != "1":
                yield f"{name}: net.ipv4.ip_forward is not 1"
            if not _overlay(node):
                yield f"{name}: no address in the pod network"
            for setting in node["settings"]:
                if re.fullmatch(r"iptables\S* -t filter :FORWARD DROP.*", setting):
                    yield f"{name}: {setting.split()[0]} drops what it forwards by policy"

    def _of_probes(
        self, cluster: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]
    ) -> list[str]:
        """Ping every overlay address and ask every DNS server, from each node."""
        overlay = {name: _overlay(node) for name, node in seen.items()}
        names = [f"kubernetes.default.svc.{DNS_DOMAIN}", f"{secrets.token_hex(4)}.example.com"]
        servers = [str(DNS_SERVICE), *cluster["dns"]]

        def probe(name: str) -> list[str]:
            if "error" in seen[name]:
                return []
            targets = [a for other, found in overlay.items() if other != name for a in found]
            question = {
                "ping": targets,
                "dns": [[server, asked] for server in servers for asked in names],
                "seconds": _PROBE_SECONDS,
            }
            answer = self._on_node(name, question)
            if "error" in answer:
                return [f"{name}: {answer['error']}"]
            return [
                *(f"{name}: no echo from {target}" for target in answer["silent"]),
                *(f"{name}: no answer from {s} for {asked}" for s, asked in answer["unanswered"]),
            ]

        with ThreadPoolExecutor(len(self.nodes)) as pool:
            return [sentence for found in pool.map(probe, self.nodes) for sentence in found]

    def _settings(
        self, cluster: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]
    ) -> Settings:
        """Return the settings of the cluster and each node, of those that could be asked."""
        found: Settings = {"cluster": cluster["settings"]} if "error" not in cluster else {}
        for name, node in seen.items():
            if "error" not in node:
                found[name] = {**node["settings"], **_files(self.spec.node_home(name) / "etc")}
        return found


def differences(before: Settings, now: Settings) -> list[str]:
    """Return in sentences what is not as it was, of what could be asked both times."""
    found = []
    for place, was in before.items():
        has = now.get(place)
        if has is None:
            continue
        changed = [
            f"{place}: {name} {_change(was.get(name), has.get(name))}"
            for name in sorted({*was, *has})
            if was.get(name) != has.get(name)
            and not (_BRIDGE.search(name) and (name in was) != (name in has))
        ]
        found += changed[:_SHOWN]
        if len(changed) > _SHOWN:
            found.append(f"{place}: {len(changed) - _SHOWN} more settings are not as they were")
    return found


def _change(was: str | None, now: str | None) -> str:
    if was is None:
        return "was not there before"
    if now is None:
        return "is no longer there"
    if _DIGEST.fullmatch(now):
        return "is not what it was"
    return f"is {now}, was {was}"


def _overlay(node: Mapping[str, Any]) -> list[str]:
    """Return a node's own addresses in the pod network."""
    inside = (a for a in node.get("addresses", ()) if ip_address(a).version == PODS.version)
    return sorted(a for a in inside if ip_address(a) in ip_network(PODS))


def _files(etc: Path) -> dict[str, str]:
    """Return the files that a node has over the machine's /etc."""
    found = {}
    for path in sorted(etc.rglob("*")):
        if not path.is_dir():
            content = path.read_bytes() if path.is_file() else b""
            name = f"file /etc/{path.relative_to(etc)}"
            found[name] = hashlib.sha256(content).hexdigest()[:12]
    return found


def _script(name: str) -> list[str]:
    """Return the words that run a witness; without site-packages it starts in no time."""
    return [sys.executable, "-I", "-S", str(HERE / "witness" / name)]


def _ask(argv: Sequence[str], question: str) -> dict[str, Any]:
    try:
        done = run(*argv, stdin=question, timeout=10)
        answer: dict[str, Any] = json.loads(done.stdout)
    except (LabError, ValueError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    return answer
