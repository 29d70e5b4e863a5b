"""What a lab is called and where it stands: names, addresses and paths, nothing else."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
DEFAULT_NAME = "ndlab"
STATE = Path("/var/lib/netdoctor-lab")
NETNS = Path("/run/netns")
CGROUPS = Path("/sys/fs/cgroup")

# All inside 198.18.0.0/15, which is reserved for tests. Every lab has the same addresses: each
# lives in network namespaces of its own.
GATEWAY = ipaddress.IPv4Address("198.18.0.1")
RESOLVER = ipaddress.IPv4Address("198.18.0.53")
WEB = ipaddress.IPv4Address("198.18.0.80")
PODS = ipaddress.IPv4Network("198.19.0.0/17")
SERVICES = ipaddress.IPv4Network("198.19.128.0/20")
API_SERVICE = SERVICES[1]
DNS_SERVICE = SERVICES[10]
API = f"https://{GATEWAY}:6443"
DNS_DOMAIN = "cluster.local"

RACK = "rack"
SWITCH = "sw0"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "resolver")
DAEMONS = ("containerd", "kubelet")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_NODE = re.compile(r"n([1-9][0-9]?)")
_FIRST_NODE = GATEWAY + 10
MAX_NODES = int(RESOLVER) - int(_FIRST_NODE)  # the next address is the resolver's


def node_names(count: int) -> tuple[str, ...]:
    """Return the names of so many nodes: n1, n2, ..."""
    if not 1 <= count <= MAX_NODES:
        message = f"a lab has between 1 and {MAX_NODES} nodes, not {count}"
        raise LabError(message)
    return tuple(f"n{number}" for number in range(1, count + 1))


def node_number(node: str) -> int:
    """Return 3 for n3."""
    match = _NODE.fullmatch(node)
    if match is None or int(match[1]) > MAX_NODES:
        message = f"{node}: not the name of a node (n1, n2, ...)"
        raise LabError(message)
    return int(match[1])


def node_address(node: str) -> str:
    """Return the address of a node on the rack's switch: 198.18.0.11 for n1."""
    return str(_FIRST_NODE + node_number(node) - 1)


def node_mac(node: str) -> str:
    """Return the hardware address of a node's eth0, the same after every power-on."""
    return f"02:4e:44:00:00:{node_number(node):02x}"


@dataclass(frozen=True)
class Spec:
    """The name of one lab, and every name and path that follows from it."""

    name: str = DEFAULT_NAME
    state: Path = STATE

    def __post_init__(self) -> None:
        """Refuse a name that would not do as a folder, a namespace and a cgroup."""
        if not _NAME.fullmatch(self.name):
            message = (
                f"{self.name!r}: the name of a lab is up to 40 lower-case letters, digits and "
                "inner dashes"
            )
            raise LabError(message)

    @property
    def home(self) -> Path:
        """The folder of this lab's state."""
        return self.state / self.name

    @property
    def logs(self) -> Path:
        """The folder of the logs of everything that runs in the lab."""
        return self.home / "log"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.home / "kubeconfig" / "admin"

    @property
    def rack_netns(self) -> str:
        """The network namespace of the switch and the control plane."""
        return self.name

    def node_netns(self, node: str) -> str:
        """Return the name of a node's network namespace; the dot keeps it apart from any lab's."""
        return f"{self.name}.{node}"

    def node_home(self, node: str) -> Path:
        """Return the folder that holds what is a node's own."""
        return self.home / "nodes" / node

    @property
    def cgroup(self) -> str:
        """The name of the lab's folder in every cgroup hierarchy."""
        return f"netdoctor-lab.{self.name}"

    def own_netns(self) -> list[Path]:
        """Return the network namespaces of this lab that exist now."""
        found = NETNS.glob("*") if NETNS.is_dir() else []
        return sorted(p for p in found if p.name == self.name or p.name.startswith(f"{self.name}."))

    def own_cgroups(self) -> list[Path]:
        """Return this lab's top folder in each cgroup hierarchy that has one."""
        return sorted([*CGROUPS.glob(self.cgroup), *CGROUPS.glob(f"*/{self.cgroup}")])


def spec_from_environment(name: str | None = None) -> Spec:
    """Return the spec of the named lab, or of NETDOCTOR_LAB_NAME, or of the default one."""
    return Spec(name or os.environ.get("NETDOCTOR_LAB_NAME") or DEFAULT_NAME)
