"""What happens to a Pod on its node, one function for each fate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubectl_netdoctor.facts import envelope, plan
from kubectl_netdoctor.facts.base import SCHEMA_VERSION
from kubectl_netdoctor.facts.resolver import KubeletDns, ResolvConf, Resolver
from tests.unit.cluster.fake_server import FakeServer, Response
from tests.unit.cluster.fake_store import Json

STARTED = "2026-01-01T00:00:01Z"


def plan_for(run: str, node: str) -> plan.Plan:
    """A plan that asks for little."""
    return plan.Plan(
        schema=SCHEMA_VERSION,
        run=run,
        node=node,
        facts=("resolver",),
        sysctls=(),
        window_seconds=0.1,
        deadline_seconds=5.0,
        probe_timeout_seconds=0.1,
        peers=(),
        tcp=(),
        dns=(),
        node_resolvers=False,
    )


def report_of(run: str, node: str) -> envelope.Envelope:
    """What an agent says there."""
    conf = ResolvConf("/etc/resolv.conf", ("198.18.0.53",), (), ())
    facts: dict[str, Any] = {"resolver": Resolver(conf, conf, KubeletDns(None, (), None))}
    return envelope.Envelope(
        SCHEMA_VERSION, run, node, "0.1.0", STARTED, STARTED, facts, {"resolver": 0.1}, ()
    )


def orders(pod: Json) -> plan.Plan:
    """The plan in a Pod's environment."""
    env = {e["name"]: e["value"] for e in pod["spec"]["containers"][0]["env"]}
    return plan.unpack(env["NETDOCTOR_PLAN"])


def terminated(message: str = "", code: int = 0, reason: str = "Completed") -> Json:
    """A container status."""
    state = {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "message": message,
            "containerID": "containerd://1",
        }
    }
    return {"name": "agent", "state": state}


class Kubelets:
    """All nodes of a fake cluster; a node does what `fates` says, by default it answers."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.fates: dict[str, Json | None] = {}  # pod status instead of an answer; None: nothing
        self.logs: dict[str, Response] = {}
        self.summaries: dict[str, str] = {}
        self.images: dict[str, str] = {}  # what a node says that it really runs
        self.beside: Callable[[plan.Plan], str] = lambda _plan: ""  # in the log before the report
        server.store.kubelet = self.act

    def act(self, pod: Json) -> None:
        """Run the Pod, as its node does."""
        node = pod["spec"]["nodeName"]
        if node in self.fates:
            fate = self.fates[node]
            if fate is not None:
                self._set(pod, fate)
            return
        asked = orders(pod)
        said = report_of(asked.run, asked.node)
        log = self.logs.get(node) or Response(
            200, (self.beside(asked) + envelope.frame(said)).encode()
        )
        self.server.logs[node] = lambda: log
        image = {"imageID": self.images.get(node, "")}
        running = {"name": "agent", "state": {"running": {}}, **image}
        self._set(pod, {"phase": "Running", "startTime": STARTED, "containerStatuses": [running]})
        message = self.summaries.get(node, envelope.summarize(said, ["resolver"]))
        done = [{**terminated(message), **image}]
        self._set(pod, {"phase": "Succeeded", "startTime": STARTED, "containerStatuses": done})

    def _set(self, pod: Json, status: Json) -> None:
        self.server.store.update("pods", {**pod, "status": status})
