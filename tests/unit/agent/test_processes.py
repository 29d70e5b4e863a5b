"""Known components by their processes, and nothing else of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubectl_netdoctor.agent import processes
from kubectl_netdoctor.agent.absence import NotPresent
from kubectl_netdoctor.agent.run import Run

INIT = {"proc/1/comm": "systemd\n"}


def names(run: Run) -> list[str]:
    """Names of the known processes."""
    return sorted(process.name for process in processes.known(run.host))


def test_cut_names_are_whole_again(node: Callable[..., Run]) -> None:
    """The kernel keeps 15 characters of a name."""
    comms = ["systemd-resolve", "kube-controller", "NetworkManager", "bash", "kube-proxy"]
    files = {f"proc/{10 + i}/comm": f"{comm}\n" for i, comm in enumerate(comms)}
    assert names(node(INIT | files)) == [
        "NetworkManager",
        "kube-controller-manager",
        "kube-proxy",
        "systemd-resolved",
    ]


@pytest.mark.parametrize(
    ("comm", "args", "expected"),
    [
        ("hyperkube", ["/usr/bin/hyperkube", "kubelet", "--config=/x"], ["kubelet"]),
        ("hyperkube", ["/opt/bin/kube-proxy", "--v=2"], ["kube-proxy"]),
        ("k3s", ["/usr/local/bin/k3s", "agent"], ["k3s-agent"]),
        ("rke2", ["/usr/bin/rke2", "server"], ["rke2"]),
        ("hyperkube", ["hyperkube", "--help"], []),
        ("hyperkube", [], []),
        ("busybox", ["busybox", "sh", "-c", "kubelet"], []),
    ],
)
def test_programs_of_many_components(
    node: Callable[..., Run], comm: str, args: list[str], expected: list[str]
) -> None:
    """The own name or the first argument says which one it is."""
    files = {"proc/9/comm": f"{comm}\n", "proc/9/cmdline": "\0".join(args) + "\0" if args else ""}
    assert names(node(INIT | files)) == expected


@pytest.mark.parametrize("init", ["pause", "python3"])
def test_a_pod_without_host_pid(node: Callable[..., Run], init: str) -> None:
    """Process 1 of a container says that the node's processes are hidden."""
    with pytest.raises(NotPresent, match="host processes are not visible"):
        names(node({"proc/1/comm": f"{init}\n", "proc/9/comm": "kubelet\n"}))


def test_no_proc_at_all(node: Callable[..., Run]) -> None:
    """Then too."""
    with pytest.raises(NotPresent, match="host processes are not visible"):
        names(node({}))
