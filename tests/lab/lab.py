"""A lab: a real Kubernetes of several nodes on this machine, from its start to its end."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from tests.lab import agent_image, bringup, build, cilium, control_plane, leftovers, locks
from tests.lab.cache import Say
from tests.lab.cluster import Commands
from tests.lab.commands import run, search_path
from tests.lab.errors import LabError
from tests.lab.health import Health
from tests.lab.machine import make_room, missing
from tests.lab.node import Node, split_daemon
from tests.lab.process import Process
from tests.lab.spec import (
    COMPONENTS,
    RACK,
    Spec,
    node_address,
    node_names,
    spec_from_environment,
)

DEFAULT_NODES = 3
DEFAULT_CNI = "flannel"


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
        return bringup.nodes_of(self.spec)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; its server is reached from inside the rack only."""
        return self.spec.kubeconfig

    def address(self, node: str) -> str:
        """Return a node's address on the switch."""
        return node_address(node)

    def is_up(self) -> bool:
        """Tell whether a lab of this name was started to the end and lives."""
        pids = control_plane.running(self.spec).values()
        lives = any(pids) or any(node.unshare().alive() for node in self._all_nodes())
        return lives and self._complete.exists()

    def is_current(self) -> bool:
        """Tell whether it was started by the sources of this package as they are now."""
        return bringup.is_current(self.spec)

    @property
    def agent(self) -> str:
        """The id of the agent image that was loaded last; empty without one."""
        return self._agent.read_text() if self._agent.exists() else ""

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
        make_room()
        names = node_names(count)
        network = bringup.network(cni)
        artifacts = build.ensure(self._say)
        if cni == cilium.NETWORK:
            artifacts = cilium.with_image(artifacts, self._say)
        agent = agent or agent_image.newest()
        image, image_seed = "", artifacts.seed
        if agent:
            image = agent_image.image_id(agent)
            image_seed = build.agent_seed(artifacts, agent, image, self._say)
        with self._locked():
            if self.is_up():
                message = f"the lab {self.name} is up already; take it down first"
                raise LabError(message)
            if leftovers.remains(self.spec):
                self._say("removing what an earlier run left")
                leftovers.remove(self.spec)
            bringup.make_home(self.spec, names, artifacts, owner)
            self._agent.write_text(image)
            bringup.bring_up(
                self,
                self.spec,
                names,
                image_seed=image_seed,
                manifests=network,
                say=self._say,
            )
            self._complete.touch()

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
        return {
            "KUBECONFIG": str(self.kubeconfig),
            # The machine's own kubectl comes first; the lab brings one for machines without.
            "PATH": f"{search_path()}:{self.spec.home / 'bin'}",
            # No proxy of the machine can be reached from the rack.
            "NO_PROXY": "*",
            "no_proxy": "*",
        }

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
        for archive in filter(agent_image.is_agent, archives):
            self._agent.write_text(agent_image.image_id(archive))

    def load_agent(self, archive: Path) -> None:
        """Import an agent image unless it is the one that the nodes have."""
        if self.agent != agent_image.image_id(archive):
            self.load(archive)

    # Health

    def healthy(self) -> list[str]:
        """Return a sentence for each thing that is not as it should be."""
        return Health(self.spec, self.nodes).sentences()

    def wait_ready(self, timeout: float = 120) -> None:
        """Wait until the lab is healthy; a LabError says what is not."""
        Health(self.spec, self.nodes).wait(timeout)

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
            f"{'agent image':26}{self.agent[:12] or '-'}",
            f"{'owner':26}{owner.pid if owner else '-'}",
        ]
