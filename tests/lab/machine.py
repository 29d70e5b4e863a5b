"""What keeps a machine from running the lab, in sentences."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.lab import packages

GO_NEEDED = (1, 26)

_WIRE = (
    "ip link add sw0 type bridge && ip link add vx0 type vxlan id 1 dstport 8472"
    " && ip link add ve0 type veth peer name ve1"
)


# Every node takes about a dozen of root's inotify instances, of which there are 128 by default.
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_WANTED = 8192


def make_room(limit: Path = _INOTIFY) -> None:
    """Raise the one limit of the whole machine that a few labs would reach."""
    if int(limit.read_text()) < _INOTIFY_WANTED:
        limit.write_text(str(_INOTIFY_WANTED))


def missing() -> list[str]:
    """Return a sentence for each thing this machine lacks; empty where the lab can run."""
    if sys.platform != "linux":
        return [f"The lab needs Linux; this is {sys.platform}."]
    found = [*_without_root(), *_without_go(), *_without_packages()]
    if os.geteuid() == 0:
        found += [*_without_namespaces(), *_without_cgroups(), *_without_overlay()]
    return found


def _without_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    return ["The lab needs root: it makes network namespaces, mounts and cgroups."]


def _without_go() -> list[str]:
    wanted = ".".join(map(str, GO_NEEDED))
    if shutil.which("go") is None:
        return [f"Go {wanted} or newer is not on PATH; the lab's Kubernetes is built with it."]
    version = go_version()
    numbers = re.match(r"go(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < GO_NEEDED:
        return [f"Go {wanted} or newer is needed to build the lab's Kubernetes; found {version}."]
    return []


def go_version() -> str:
    """Return the version of the Go on PATH, such as go1.26.8."""
    asked = subprocess.run(
        ["go", "env", "GOVERSION"], capture_output=True, text=True, check=False, cwd="/"
    )
    return asked.stdout.strip() or "an unknown version"


def _without_packages() -> list[str]:
    absent = packages.absent()
    if not absent or packages.can_install():
        return []
    return [f"There is no apt-get to install these packages: {' '.join(absent)}."]


def _without_namespaces() -> list[str]:
    if not _works("unshare --net --mount --uts --ipc --pid --cgroup --fork true"):
        return ["This process may not make namespaces (unshare failed): CAP_SYS_ADMIN is needed."]
    if shutil.which("ip") and not _works(f"unshare --net sh -c '{_WIRE}'"):
        return ["The kernel makes no bridge, VXLAN or veth device in a network namespace."]
    return []


def _without_cgroups() -> list[str]:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    controllers = {name for line in lines for name in line.split(":")[1].split(",")}
    wanted = {"cpu", "memory", "pids"}
    if wanted <= controllers:
        return []
    return ["The lab needs cgroup v1 hierarchies; this machine has them not (cgroup v2 only)."]


def _without_overlay() -> list[str]:
    if re.search(r"\boverlay$", Path("/proc/filesystems").read_text(), re.MULTILINE):
        return []
    if _works("modprobe -q overlay"):
        return []
    return ["The kernel has no overlay file system."]


def _works(script: str) -> bool:
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False)
    return done.returncode == 0
