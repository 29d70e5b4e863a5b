"""The way from nothing to a healthy lab."""

import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab import control_plane, pki, wiring
from tests.lab.build import Artifacts
from tests.lab.cache import Say, files_key
from tests.lab.cluster import Commands
from tests.lab.errors import LabError
from tests.lab.health import Health
from tests.lab.leftovers import OWNER
from tests.lab.node import Node
from tests.lab.process import Process, wait_for
from tests.lab.spec import COMPONENTS, HERE, Spec, node_names

_CNI = HERE / "cni"
_ADDONS = HERE / "addons"
# What the nodes need to be switched on; the other components need the API server.
_FIRST = ("etcd", "kube-apiserver", "resolver")


def cni_choices() -> list[str]:
    """Return the networks a lab can be given: the folders of manifests in `cni`."""
    return sorted(folder.name for folder in _CNI.iterdir() if folder.is_dir())


def network(cni: str) -> Path:
    """Return the folder of the manifests that make this network."""
    if cni not in cni_choices():
        message = f"{cni}: no such network; there is {', '.join(cni_choices())}"
        raise LabError(message)
    return _CNI / cni


def make_home(
    spec: Spec, nodes: Sequence[str], artifacts: Artifacts, owner: Process | None
) -> None:
    """Make the folder of a lab's state."""
    for folder in ("bin", "log", "nodes", "pid"):
        (spec.home / folder).mkdir(parents=True)
    if owner is not None:
        owner.write(spec.home / OWNER)
    _count(spec).write_text(str(len(nodes)))
    _made_of(spec).write_text(_sources_key())
    # What runs later, after a stop, is what ran before, whatever has been built in between.
    (spec.home / "bin/hyperkube").symlink_to(artifacts.hyperkube)
    (spec.home / "bin/kubectl").symlink_to(artifacts.hyperkube)
    (spec.home / "bin/coredns").symlink_to(artifacts.coredns)


def nodes_of(spec: Spec) -> tuple[str, ...]:
    """Return the nodes of a lab that was started; none where there is no lab."""
    return node_names(int(_count(spec).read_text())) if _count(spec).exists() else ()


def is_current(spec: Spec) -> bool:
    """Tell whether a lab was started by the sources of this package as they are now."""
    return _made_of(spec).exists() and _made_of(spec).read_text() == _sources_key()


def _sources_key() -> str:
    files = (file for file in HERE.rglob("*") if file.suffix not in {".md", ".pyc"})
    return files_key(HERE, files)


def _made_of(spec: Spec) -> Path:
    return spec.home / "made-of"


def _count(spec: Spec) -> Path:
    return spec.home / "count"


def bring_up(
    cluster: Commands,
    spec: Spec,
    nodes: Sequence[str],
    *,
    image_seed: Path,
    manifests: Path,
    say: Say,
) -> None:
    """Start the control plane and the nodes, and wait until all is well."""
    started = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - started:6.1f} s  {what}")

    health = Health(spec, nodes)
    pki.make(spec, nodes)
    wiring.wire_rack(spec)
    for component in _FIRST:
        control_plane.start(spec, component)
    tell("API server starting")
    for node in (Node(spec, name) for name in nodes):
        node.prepare(image_seed)
        node.power_on()
    tell("nodes switched on")
    wait_for("the API server", lambda: _api_ready(cluster), 90)
    # Controllers that meet an API server without its roles yet back off, and complain in events.
    for component in COMPONENTS:
        control_plane.start(spec, component)
    tell("API server ready, controllers starting")
    cluster.kubectl("apply", "-f", manifests)
    tell("network applied")
    # With one node Ready before the others, both replicas of CoreDNS would end up there.
    wait_for("the nodes to be Ready", lambda: not health.unready(), 120, every=0.3)
    tell("nodes Ready")
    cluster.kubectl("apply", "-f", _ADDONS)
    health.wait(180)
    health.record()
    tell("all of kube-system ready, paths between the nodes proven")


def _api_ready(cluster: Commands) -> bool:
    return cluster.run("kubectl", "get", "--raw", "/readyz").stdout.strip() == "ok"
