"""A lab: a real Kubernetes of several nodes on this machine, from its start to its end."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from tests.lab import agent_image, build, control_plane, leftovers, locks, pki, wiring
from tests.lab.cache import Say
from tests.lab.cluster import Commands
from tests.lab.commands import run
from tests.lab.errors import LabError
from tests.lab.health import Health
from tests.lab.missing import missing
from tests.lab.node import Node, split_daemon
from tests.lab.process import Process, wait_for
from tests.lab.spec import (
    COMPONENTS,
    HERE,
    RACK,
    Spec,
    node_address,
    node_names,
    spec_from_environment,
)

DEFAULT_NODES = 3
DEFAULT_CNI = "flannel"
_FIRST = ("etcd", "kube-apiserver", "resolver")
_CNI = HERE / "cni"
_ADDONS = HERE / "addons"


def cni_choices() -> list[str]:
    """Return the networks a lab can be given: the folders of manifests in `cni`."""
    return sorted(folder.name for folder in _CNI.iterdir() if folder.is_dir())


class Lab(Commands):
    """
    One lab by its name, whether it runs or not.

    Commands of `run`, `popen` and `kubectl` run in the rack, from where the cluster is reached;
    `on` runs a command on a node.
    """

    def __init__(self, name: str | None = None, say: Say = build.say_on_stderr) -> None:
        """Name a lab: this name, or NETDOCTOR_LAB_NAME, or the default."""
        self.spec: Spec = spec_from_environment(name)
        self._say = say

    # What it is

    @property
    def name(self) -> str:
        """The name of the lab."""
        return self.spec.name

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes, of those that are switched off too."""
        return node_names(int(self._count.read_text())) if self._count.exists() else ()

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; its server is reached from inside the rack only."""
        return self.spec.kubeconfig

    def address(self, node: str) -> str:
        """Return a node's address on the switch."""
        return node_address(node)

    def is_up(self) -> bool:
        """Tell whether a lab of this name was started to the end and lives."""
        return self._complete.exists() and bool(leftovers.remains(self.spec)) and self._lives()

    def _lives(self) -> bool:
        pids = control_plane.running(self.spec).values()
        return any(pids) or any(node.unshare().alive() for node in self._all_nodes())

    @property
    def agent(self) -> str:
        """The name of the agent image's archive that was loaded last; empty without one."""
        return self._agent.read_text() if self._agent.exists() else ""

    @property
    def _count(self) -> Path:
        return self.spec.home / "count"

    @property
    def _complete(self) -> Path:
        return self.spec.home / "complete"

    @property
    def _agent(self) -> Path:
        return self.spec.home / "agent"

    def _node(self, name: str) -> Node:
        if name not in self.nodes:
            message = f"{name}: the lab {self.name} has no such node"
            raise LabError(message)
        return Node(self.spec, name)

    def _all_nodes(self) -> list[Node]:
        return [Node(self.spec, name) for name in self.nodes]

    # Start and end

    def up(
        self,
        count: int = DEFAULT_NODES,
        cni: str = DEFAULT_CNI,
        *,
        agent: Path | None = None,
        owner: Process | None = None,
    ) -> None:
        """
        Start the lab; what an earlier run of its name left is removed first.

        The nodes hold the agent image of this archive, by default the newest there is. A lab with
        an owner is removed by the next `sweep` after its owner's end.
        """
        lacking = missing()
        if lacking:
            raise LabError("\n".join(lacking))
        names = node_names(count)
        network = _network(cni)
        artifacts = build.ensure(self._say)
        agent = agent or agent_image.newest()
        image_seed = build.agent_seed(artifacts, agent, self._say) if agent else artifacts.seed
        with self._locked():
            if self.is_up():
                message = f"the lab {self.name} is up already; take it down first"
                raise LabError(message)
            if leftovers.remains(self.spec):
                self._say("removing what an earlier run left")
                leftovers.remove(self.spec)
            clock = _Clock(self._say)
            self._make_home(names, artifacts, owner)
            self._agent.write_text(agent.name if agent else "")
            self._start(image_seed, network, clock)
            self._complete.touch()

    def _make_home(
        self, names: tuple[str, ...], artifacts: build.Artifacts, owner: Process | None
    ) -> None:
        home = self.spec.home
        for folder in ("bin", "log", "nodes", "pid"):
            (home / folder).mkdir(parents=True)
        if owner is not None:
            owner.write(home / leftovers.OWNER)
        self._count.write_text(str(len(names)))
        (home / "bin/hyperkube").symlink_to(artifacts.hyperkube)
        (home / "bin/kubectl").symlink_to(artifacts.hyperkube)
        (home / "bin/coredns").symlink_to(artifacts.coredns)

    def _start(self, image_seed: Path, network: Path, clock: "_Clock") -> None:
        health = Health(self.spec, self.nodes)
        pki.make(self.spec, self.nodes)
        wiring.wire_rack(self.spec)
        for component in _FIRST:
            control_plane.start(self.spec, component)
        clock.say("API server starting")
        for node in self._all_nodes():
            node.prepare(image_seed)
            node.power_on()
        clock.say("nodes switched on")
        wait_for("the API server", self._api_ready, 90)
        # Controllers that meet an API server without its roles yet back off, and complain in events.
        for component in COMPONENTS:
            control_plane.start(self.spec, component)
        clock.say("API server ready, controllers starting")
        self._apply(network)
        clock.say("network applied")
        # With one node Ready before the others, both replicas of CoreDNS would end up there.
        wait_for("the nodes to be Ready", lambda: not health.unready(), 120, every=0.3)
        clock.say("nodes Ready")
        self._apply(_ADDONS)
        self._wait_healthy(180)
        health.record()
        clock.say("all of kube-system ready, paths between the nodes proven")

    def _apply(self, folder: Path) -> None:
        self.kubectl("apply", "-f", folder)

    def _api_ready(self) -> bool:
        return self.run("kubectl", "get", "--raw", "/readyz").stdout.strip() == "ok"

    def down(self) -> None:
        """Remove the lab with everything of it; nothing happens where there is none."""
        with self._locked():
            leftovers.remove(self.spec)

    def _locked(self) -> AbstractContextManager[None]:
        def waiting() -> None:
            self._say(f"waiting for another command that works on the lab {self.name}")

        return locks.held(leftovers.lock_of(self.spec), waiting)

    # Use

    def _prefix(self) -> list[str]:
        return ["ip", "netns", "exec", self.spec.rack_netns]

    def _environment(self) -> dict[str, str]:
        # The machine's own kubectl comes first; the lab brings one for machines without.
        path = os.environ.get("PATH", os.defpath)
        return {"KUBECONFIG": str(self.kubeconfig), "PATH": f"{path}:{self.spec.home / 'bin'}"}

    def on(
        self, node: str, *argv: str | Path, check: bool = True, timeout: float | None = 60
    ) -> str:
        """Run a command on a node, or in the rack, and return what it prints."""
        return run(*self._where(node), *argv, check=check, timeout=timeout).stdout

    def _where(self, node: str) -> list[str]:
        return self._prefix() if node == RACK else self._node(node).enter()

    def become(self, node: str, argv: list[str]) -> None:
        """Replace this process by a command on a node, or in the rack."""
        words = [*self._where(node), *argv]
        environment = {**os.environ, **(self._environment() if node == RACK else {})}
        os.execvpe(words[0], words, environment)  # noqa: S606 - no shell is wanted

    def stop(self, name: str) -> None:
        """Cut a node's power, or end a component at once, or one daemon of a node (kubelet@n3)."""
        daemon = split_daemon(name)
        if daemon:
            self._node(daemon[1]).stop_daemon(daemon[0])
        elif name in COMPONENTS:
            control_plane.stop(self.spec, name)
        else:
            self._node(name).power_off()

    def start(self, name: str) -> None:
        """Start again what was stopped."""
        daemon = split_daemon(name)
        if daemon:
            self._node(daemon[1]).start_daemon(daemon[0])
        elif name in COMPONENTS:
            control_plane.start(self.spec, name)
        else:
            self._node(name).power_on()

    def load(self, *archives: Path) -> None:
        """Import image archives into every node."""

        def into(node: Node) -> None:
            for archive in archives:
                node.load(archive)

        with ThreadPoolExecutor() as pool:
            list(pool.map(into, self._all_nodes()))

    def load_agent(self, archive: Path) -> None:
        """Import an agent image unless it is the one that the nodes have."""
        if self.agent != archive.name:
            self.load(archive)
            self._agent.write_text(archive.name)

    # Health

    def healthy(self) -> list[str]:
        """Return a sentence for each thing that is not as it should be."""
        return Health(self.spec, self.nodes).sentences()

    def wait_ready(self, timeout: float = 120) -> None:
        """Wait until the lab is healthy; a LabError says what is not."""
        self._wait_healthy(timeout)

    def _wait_healthy(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while sentences := self.healthy():
            if time.monotonic() > end:
                listed = "\n".join(sentences)
                message = f"not healthy after {seconds:g} s (logs: {self.spec.logs}):\n{listed}"
                raise LabError(message)
            time.sleep(0.3)

    def status(self) -> list[str]:
        """Return lines about what of the lab runs."""
        found = [(name, pid) for name, pid in control_plane.running(self.spec).items()]
        for node in self._all_nodes():
            process = node.unshare()
            found.append((node.name, process.pid if process.alive() else None))
        owner = Process.read(self.spec.home / leftovers.OWNER)
        return [
            f"lab {self.name}: {'up' if self.is_up() else 'not up'}",
            *(f"{name:26}{pid or '-'}" for name, pid in found),
            f"{'agent image':26}{self.agent or '-'}",
            f"{'owner':26}{owner.pid if owner else '-'}",
        ]


def _network(cni: str) -> Path:
    """Return the folder of the manifests that make this network."""
    if cni not in cni_choices():
        message = f"{cni}: no such network; there is {', '.join(cni_choices())}"
        raise LabError(message)
    return _CNI / cni


class _Clock:
    """Says things with the seconds that have gone by."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._started = time.monotonic()

    def say(self, what: str) -> None:
        self._say(f"{time.monotonic() - self._started:6.1f} s  {what}")
