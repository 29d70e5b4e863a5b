"""The end of a lab: whatever a run of its name left on the machine is removed."""

import shutil
from pathlib import Path

from tests.lab import cgroups, locks
from tests.lab.commands import run
from tests.lab.errors import LabError
from tests.lab.killing import kill_all
from tests.lab.mounts import mounts_below, unmount_below
from tests.lab.process import Process, inhabitants
from tests.lab.spec import STATE, Spec

OWNER = "owner.json"


def remove(spec: Spec) -> None:
    """Remove everything of a lab, whole or half made; what stays behind is a LabError."""
    cgroups.thaw(spec.own_cgroups())
    kill_all(spec.own_netns(), spec.cgroup)
    unmount_below(spec.home)
    for netns in spec.own_netns():
        run("ip", "netns", "del", netns.name, check=False)
    cgroups.remove(spec.own_cgroups())
    shutil.rmtree(spec.home, ignore_errors=True)
    left = remains(spec)
    if left:
        message = f"the lab {spec.name} left behind: {'; '.join(left)}"
        raise LabError(message)


def remains(spec: Spec) -> list[str]:
    """Return what there is of a lab on this machine, in words."""
    found = [f"process {pid}" for pid in inhabitants(spec.own_netns(), spec.cgroup)]
    found += [f"network namespace {netns.name}" for netns in spec.own_netns()]
    found += [f"cgroup {folder}" for folder in spec.own_cgroups()]
    found += [f"mount {point}" for point in mounts_below(spec.home)]
    if spec.home.exists():
        found.append(f"folder {spec.home}")
    return found


def sweep(state: Path = STATE) -> list[str]:
    """Remove each lab whose owner is gone and return their names; labs without one stay."""
    swept = []
    for record in sorted(state.glob(f"*/{OWNER}")):
        spec = Spec(record.parent.name, state)
        owner = Process.read(record)
        if owner is None or owner.alive() or locks.is_held(lock_of(spec)):
            continue
        with locks.held(lock_of(spec)):
            remove(spec)
        swept.append(spec.name)
    return swept


def lock_of(spec: Spec) -> Path:
    """Return the lock that whoever starts or removes this lab holds."""
    return spec.state / f".{spec.name}.lock"
