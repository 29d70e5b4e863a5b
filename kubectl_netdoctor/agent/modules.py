"""Whether the kernel has a module, so that no reader is the one that loads it."""

from __future__ import annotations

from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.host import Host


def loaded(host: Host, name: str) -> bool:
    """Whether a module is loaded or built in.

    A kernel without /proc/modules loads none at all, so that reading is safe there. What is built
    in and has no parameters is only in modules.builtin, kernel doc kbuild/kbuild.
    """
    try:
        modules = host.kernel(host.proc / "modules")
    except Absence:
        return True
    if any(line.partition(" ")[0] == name for line in modules.splitlines()):
        return True
    if (host.sys / "module" / name).exists():
        return True
    try:
        release = host.kernel(host.proc / "sys/kernel/osrelease").strip()
        builtin = host.file(f"/lib/modules/{release}/modules.builtin")
    except Absence:
        return False
    return any(line.rpartition("/")[2].startswith(f"{name}.ko") for line in builtin.splitlines())
