"""The machine's own packages that the lab needs."""

import shutil
from pathlib import Path

from tests.lab.cache import Say
from tests.lab.commands import run, search_path
from tests.lab.errors import LabError

# A command of each package, or a file where there is none.
NEEDED = {
    "buildah": "buildah",
    "conntrack": "conntrack",
    "containerd": "containerd",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "debootstrap": "debootstrap",
    "ethtool": "ethtool",
    "iproute2": "ip",
    "ipset": "ipset",
    "iputils-ping": "ping",
    "iptables": "iptables",
    "nftables": "nft",
    "openssl": "openssl",
    "procps": "sysctl",
    "runc": "runc",
    "util-linux": "nsenter",
}


def absent() -> list[str]:
    """Return the packages that are not installed."""
    return [package for package, proof in NEEDED.items() if not _found(proof)]


def _found(proof: str) -> bool:
    """Tell whether a command or a file is there."""
    if proof.startswith("/"):
        return Path(proof).exists()
    return shutil.which(proof, path=search_path()) is not None


def can_install() -> bool:
    """Tell whether this machine has Debian's way of installing packages."""
    return shutil.which("apt-get") is not None


def install(say: Say) -> None:
    """Install what is not there yet."""
    wanted = absent()
    if not wanted:
        return
    say(f"installing {' '.join(wanted)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", env=quiet)
    run("apt-get", "install", "-y", "--no-install-recommends", *wanted, env=quiet)
    still = absent()
    if still:
        message = f"installed, yet not found: {' '.join(still)}"
        raise LabError(message)
