"""Whether starting a pod would repair what the agent has to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netdoctor.agent.companion_news import repairs
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.cluster import agent_spec


def machine(folder: Path, *, forward: str = "1", flags: str = "0x1003", ports: int = 1) -> Host:
    """A node with one bridge."""
    (folder / "proc/sys/net/ipv4").mkdir(parents=True)
    (folder / "proc/sys/net/ipv4/ip_forward").write_text(f"{forward}\n")
    bridge = folder / "sys/class/net/cni0"
    (bridge / "brif").mkdir(parents=True)
    (bridge / "bridge").mkdir()
    (bridge / "flags").write_text(f"{flags}\n")
    for number in range(ports):
        (bridge / "brif" / f"veth{number}").mkdir()
    (folder / "sys/class/net/eth0").mkdir()
    return Host(folder, proc=folder / "proc", sys=folder / "sys")


CASES = {
    "well": ({}, None),
    "no forwarding": ({"forward": "0"}, "net.ipv4.ip_forward is 0"),
    "bridge down": ({"flags": "0x1002"}, "cni0 is down"),
    "bridge down without pods": ({"flags": "0x1002", "ports": 0}, None),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_what_a_pod_would_repair(
    tmp_path: Path, changes: dict[str, str | int], expected: str | None
) -> None:
    """The agent's own look, and the kubelet's by the readiness probe, agree."""
    assert repairs(machine(tmp_path, **changes)) == expected  # type: ignore[arg-type]
    script = agent_spec._READY.replace('"/proc', f'"{tmp_path}/proc').replace(
        '"/sys', f'"{tmp_path}/sys'
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], check=False)
    assert (done.returncode == 0) is (expected is None)
