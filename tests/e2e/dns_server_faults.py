"""Faults of the servers of cluster DNS themselves, each taken back when its `with` block ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.e2e.dns_faults import COREDNS, corefile
from tests.e2e.faults import KUBE_SYSTEM, Fault, dns_endpoints, wait_for
from tests.lab import Lab

CPU = "/sys/fs/cgroup/cpu"
QUOTA = "1000"  # microseconds of each period of 100 ms: the kernel takes no less
NEWS = "netdoctor-news"
KEPT = (
    30 + 65
)  # seconds: how long an answer is kept, and what the check allows two servers to differ
OLD_ENOUGH = 125  # seconds; the servers' own starts lie as far back as a lost change would


@contextmanager
def throttled(lab: Lab) -> Iterator[None]:
    """One DNS pod has a CPU limit that is far too small."""
    pod = first_pod(lab)
    home = str(pod["spec"]["nodeName"])
    container = str(pod["status"]["containerStatuses"][0]["containerID"]).rpartition("/")[2]
    folder = lab.on(home, "find", CPU, "-type", "d", "-name", container).split()[0]
    write = 'echo "$1" > "$2/cpu.cfs_quota_us"'
    lab.on(home, "sh", "-c", write, "sh", QUOTA, folder)
    try:
        yield
    finally:
        lab.on(home, "sh", "-c", write, "sh", "-1", folder)


@contextmanager
def watch_lost(lab: Lab) -> Iterator[None]:
    """One DNS pod is cut off from the API server, and then a Service is made."""
    pod = first_pod(lab)
    home, address = str(pod["spec"]["nodeName"]), str(pod["status"]["podIP"])
    wait_for(lambda: all(age > OLD_ENOUGH for age in _ages(lab)), OLD_ENOUGH + 60)
    ways = (("-s", address, "-p", "tcp", "--dport", "6443"),
            ("-d", address, "-p", "tcp", "--sport", "6443"))  # fmt: skip
    for way in ways:
        lab.on(home, "iptables", "-I", "FORWARD", *way, "-j", "DROP")
    try:
        lab.kubectl("apply", "-f", "-", input=json.dumps(_service()))
        time.sleep(KEPT)
        yield
    finally:
        lab.kubectl("delete", "service", NEWS)
        for way in ways:
            lab.on(home, "iptables", "-D", "FORWARD", *way, "-j", "DROP")
        lab.kubectl(*KUBE_SYSTEM, "delete", "pod", str(pod["metadata"]["name"]))
        lab.kubectl(*KUBE_SYSTEM, "rollout", "status", "deployment/coredns", "--timeout=60s")
        wait_for(lambda: len(dns_endpoints(lab)) == 2)


def denials_kept(lab: Lab) -> AbstractContextManager[None]:
    """Somebody raised the times to spare the servers."""
    return corefile(
        lab, lambda text: text.replace("ttl 30", "ttl 300").replace("cache 30", "cache 300")
    )


def first_pod(lab: Lab) -> dict[str, Any]:
    """The DNS pod whose name comes first."""
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", *COREDNS)["items"]
    found: dict[str, Any] = min(pods, key=lambda p: str(p["metadata"]["name"]))
    return found


def _ages(lab: Lab) -> list[float]:
    """Seconds since each DNS pod was made; the lab and this process have one clock."""
    pods = lab.kubectl_json(*KUBE_SYSTEM, "get", "pods", *COREDNS)["items"]
    made = [datetime.fromisoformat(p["metadata"]["creationTimestamp"]) for p in pods]
    return [(datetime.now(UTC) - one).total_seconds() for one in made]


def _service() -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NEWS},
        "spec": {"ports": [{"name": "http", "port": 80}]},
    }


FAULTS: dict[str, tuple[str, Fault]] = {
    "throttled": ("DNS-03", throttled),
    "watch_lost": ("DNS-18", watch_lost),
    "denials_kept": ("DNS-14", denials_kept),
}
"""Each fault with the ID that must be the first row while it lasts."""
