"""
A containerd root that holds images, ready to be copied into every node.

Unpacking an image costs seconds on every node; hard links to what was unpacked once cost almost
nothing. Only the databases are real copies, because containerd writes to them in place.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.commands import run, spawn
from tests.lab.errors import LabError
from tests.lab.process import wait_for

_CONFIG = """version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
"""


def grow(target: Path, archives: Sequence[Path], parent: Path | None = None) -> None:
    """Make a containerd root of what the parent holds and of the archives' images."""
    if parent is None:
        target.mkdir()
    else:
        copy(parent, target)
    scratch = Path(tempfile.mkdtemp(prefix="netdoctor-lab-"))  # a socket's path must be short
    config, socket, log = scratch / "config.toml", scratch / "sock", scratch / "log"
    config.write_text(_CONFIG)
    containerd = spawn(
        log,
        *("containerd", "--config", config, "--root", target, "--state", scratch / "state"),
        *("--address", socket),
    )
    try:
        wait_for("containerd", socket.exists, 30)
        for archive in archives:
            run("ctr", "--address", socket, "-n", "k8s.io", "images", "import", archive)
    except LabError as error:
        message = f"{error}\n{log.read_text()[-2000:]}"
        raise LabError(message) from error
    finally:
        containerd.kill()
        shutil.rmtree(scratch, ignore_errors=True)


def copy(seed: Path, target: Path) -> None:
    """Copy a containerd root by hard links, its databases for real."""
    if _linkable(seed, target.parent):
        run("cp", "--archive", "--link", seed, target)
        for database in target.rglob("*.db"):
            data = database.read_bytes()
            database.unlink()
            database.write_bytes(data)
    else:
        run("cp", "--archive", "--reflink=auto", seed, target)


def _linkable(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev
