"""One node: namespaces, files and daemons that together pass for a machine."""

import json
import secrets
import shutil
from pathlib import Path

from tests.lab import cgroups, seed, wiring
from tests.lab.build import PAUSE_IMAGE
from tests.lab.commands import run, spawn
from tests.lab.errors import LabError
from tests.lab.killing import kill_all
from tests.lab.pki import kubeconfig_of
from tests.lab.process import Process, wait_for
from tests.lab.spec import (
    CGROUPS,
    DAEMONS,
    DNS_DOMAIN,
    DNS_SERVICE,
    HERE,
    NETNS,
    RESOLVER,
    Spec,
    node_address,
)

# Folders that every node has for itself; /etc is its own as well, over the machine's.
_PRIVATE = (
    *("/var/lib/kubelet", "/var/lib/cni", "/var/lib/containerd", "/opt/cni/bin"),
    *("/var/log/pods", "/var/log/containers"),
)

_CONTAINERD = f"""version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true  # a machine may withhold CAP_SYS_RESOURCE
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


class Node:
    """A node of a lab, switched on or off."""

    def __init__(self, spec: Spec, name: str) -> None:
        """Name a node; nothing is made yet."""
        self.spec = spec
        self.name = name
        self.home = spec.node_home(name)

    def prepare(self, image_seed: Path) -> None:
        """Make the node's disk: its files, and an image store copied from the seed."""
        for path in _PRIVATE:
            (self.home / path.lstrip("/")).mkdir(parents=True)
        store = self.home / "var/lib/containerd"
        store.rmdir()
        seed.copy(image_seed, store)
        etc = self.home / "etc"
        (self.home / "etc.work").mkdir()
        (etc / "cni/net.d").mkdir(parents=True)
        (etc / "kubernetes").mkdir()
        (etc / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{node_address(self.name)} {self.name}\n")
        (etc / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
        (etc / "kubernetes/kubelet.yaml").write_text(json.dumps(self._kubelet_settings()))
        (self.home / "containerd.toml").write_text(_CONTAINERD)
        # A copy: the shell reads a script while it runs, and the checkout may change under it.
        shutil.copy(HERE / "node-init.sh", self.home / "init.sh")

    def _kubelet_settings(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(self.spec.home / "pki/ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "clusterDomain": DNS_DOMAIN,
            "clusterDNS": [str(DNS_SERVICE)],
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "resolvConf": "/etc/resolv.conf",
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
            # With cgroup v1 and cgroups made by this lab, kubelet must not want to own the tree.
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "failCgroupV1": False,
            # The nodes share one disk that is not theirs to clean.
            "localStorageCapacityIsolation": False,
            "evictionHard": {"memory.available": "1Mi"},
            "imageGCHighThresholdPercent": 100,
            "nodeStatusUpdateFrequency": "4s",
            "syncFrequency": "10s",
            "maxPods": 110,
        }

    def power_on(self) -> None:
        """Start the node unless it runs."""
        if self.unshare().alive():
            return
        wiring.wire_node(self.spec, self.name)
        environment = {
            "LAB_NODE": self.name,
            "LAB_ADDRESS": node_address(self.name),
            "LAB_CGROUP": self.spec.cgroup,
            "LAB_HOME": str(self.home),
            "LAB_LOGS": str(self.spec.logs),
            "LAB_HYPERKUBE": str(self.spec.home / "bin/hyperkube"),
            "LAB_KUBECONFIG": str(kubeconfig_of(self.spec, self.name)),
            "LAB_PRIVATE": " ".join(_PRIVATE),
        }
        spawn(
            self.spec.logs / f"{self.name}.init.log",
            *("nsenter", f"--net={NETNS / self.spec.node_netns(self.name)}"),
            *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"),
            *("--kill-child", "sh", self.home / "init.sh"),
            env=environment,
        ).write(self._record())

    def power_off(self) -> None:
        """Cut the node's power: its processes, its links and all its kernel knew are gone."""
        netns = NETNS / self.spec.node_netns(self.name)
        self.unshare().kill()
        kill_all([netns], f"{self.spec.cgroup}/{self.name}")
        wiring.unwire_node(self.spec, self.name)
        cgroups.remove([top / self.name for top in self.spec.own_cgroups()])
        self._record().unlink(missing_ok=True)

    def unshare(self) -> Process:
        """Return the process that the node's first process is the only child of."""
        return Process.read(self._record()) or Process(0, -1, "")

    def _record(self) -> Path:
        return self.spec.home / "pid" / self.name

    def enter(self) -> list[str]:
        """Return the words that, put before a command, run it on this node."""
        holder = self.unshare()
        if not holder.alive():
            message = f"{self.name}: not running"
            raise LabError(message)
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        wait_for(f"{self.name} to start", lambda: bool(children.read_text().split()), 5, 0.02)
        init = children.read_text().split()[0]
        # BPF programs that translate Services hang on the node's cgroup, and see nobody outside.
        joined = CGROUPS / "unified" / self.spec.cgroup / self.name / "cgroup.procs"
        join = ["sh", "-c", f'echo $$ > {joined} && exec "$@"', "sh"] if joined.exists() else []
        return [*join, "nsenter", "-t", init, "-m", "-u", "-i", "-n", "-p"]

    def load(self, archive: Path) -> None:
        """Import an image archive into the node's image store."""
        enter = self.enter()
        wait_for(f"containerd on {self.name}", self._containerd_answers, 30)
        # By way of stdin, so that the node need not see where the archive is.
        run(
            *("sh", "-c", 'archive=$1; shift; exec "$@" < "$archive"', "sh", archive),
            *(*enter, "ctr", "-n", "k8s.io", "images", "import", "-"),
        )

    def _containerd_answers(self) -> bool:
        return run(*self.enter(), "ctr", "version", check=False).returncode == 0

    def stop_daemon(self, daemon: str) -> None:
        """Kill one daemon of the node and keep it from coming back."""
        script = f"touch /run/lab/{daemon}.stopped; kill -9 $(cat /run/lab/{daemon}.pid) || :"
        run(*self.enter(), "sh", "-c", script)

    def start_daemon(self, daemon: str) -> None:
        """Let a stopped daemon run again."""
        run(*self.enter(), "rm", "-f", f"/run/lab/{daemon}.stopped")


def split_daemon(name: str) -> tuple[str, str] | None:
    """Return ("kubelet", "n3") for kubelet@n3, None for a name of another kind."""
    daemon, at, node = name.partition("@")
    if not at:
        return None
    if daemon not in DAEMONS:
        message = f"{daemon}: not a daemon of a node ({', '.join(DAEMONS)})"
        raise LabError(message)
    return daemon, node
