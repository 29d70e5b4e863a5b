"""What the node runs on."""

from __future__ import annotations

import os
import re

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.system import Kernel

_BY_DMI = {
    # Words of the DMI vendor and product names; the kinds are systemd-detect-virt(1)'s, with the
    # clouds that run on KVM counted as kvm.
    "qemu": "kvm",
    "kvm": "kvm",
    "openstack": "kvm",
    "kubevirt": "kvm",
    "amazon ec2": "kvm",
    "google": "kvm",
    "digitalocean": "kvm",
    "hetzner": "kvm",
    "nutanix": "kvm",
    "vmware": "vmware",
    "virtualbox": "oracle",
    "innotek": "oracle",
    "microsoft corporation virtual machine": "microsoft",
    "xen": "xen",
    "bochs": "bochs",
    "parallels": "parallels",
    "bhyve": "bhyve",
    "apple virtualization": "apple",
}
_FLAGS = re.compile(r"^flags\s*:.*$", re.MULTILINE)


@collector("kernel")
def kernel(run: Run) -> Kernel:
    """Kernel, CPUs, hypervisor and distribution."""
    host = run.host
    release = os_release(_first_file(host, "/etc/os-release", "/usr/lib/os-release"))
    return Kernel(
        release=_word(host, "sys/kernel/osrelease"),
        machine=_machine(host),
        cpus=count_cpus(host.kernel(host.sys / "devices/system/cpu/online")),
        hypervisor=_hypervisor(host),
        distribution=release.get("ID"),
        distribution_version=release.get("VERSION_ID"),
        uptime_seconds=_uptime(_word(host, "uptime")),
        memory_bytes=_memory(host.kernel(host.proc / "meminfo")),
        boot_id=_word(host, "sys/kernel/random/boot_id"),
    )


def count_cpus(text: str) -> int:
    """Number of CPUs in a list such as `0-3,5`. Raises Unreadable."""
    total = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        try:
            count = int(last or first) - int(first) + 1
        except ValueError:
            raise Unreadable(f"online CPUs: {text!r:.60}") from None
        if count < 1:
            raise Unreadable(f"online CPUs: {text!r:.60}")
        total += count
    return total


def os_release(text: str) -> dict[str, str]:
    """Assignments of an os-release(5) file; quotes are taken off, other lines are skipped."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, found, value = line.strip().partition("=")
        if found and name.isidentifier():
            bare = value.strip()
            if len(bare) > 1 and bare[0] in "\"'" and bare[-1] == bare[0]:
                bare = bare[1:-1]
            values[name] = bare
    return values


def hypervisor_of(dmi: str) -> str | None:
    """The hypervisor that DMI's vendor and product name, None for one that they do not."""
    words = dmi.lower()
    return next((kind for name, kind in _BY_DMI.items() if name in words), None)


def _hypervisor(host: Host) -> str | None:
    """Xen says so itself; x86 has a CPU flag; DMI knows the kind, also on arm64."""
    if xen := _optional(host, "hypervisor/type"):
        return xen
    flags = _FLAGS.search(host.kernel(host.proc / "cpuinfo"))
    if flags and "hypervisor" not in flags[0].split():
        return None  # bare metal of a cloud has the cloud's DMI names and no such flag
    dmi = f"{_optional(host, 'class/dmi/id/sys_vendor')} {_optional(host, 'class/dmi/id/product_name')}"
    return hypervisor_of(dmi) or ("unknown" if flags else None)


def _optional(host: Host, path: str) -> str:
    try:
        return host.kernel(host.sys / path).strip()
    except Absence:
        return ""


def _machine(host: Host) -> str:
    """/proc/sys/kernel/arch, since Linux 6.1; uname(2) before."""
    try:
        return _word(host, "sys/kernel/arch")
    except NotPresent:
        return os.uname().machine


def _word(host: Host, path: str) -> str:
    return host.kernel(host.proc / path).strip()


def _first_file(host: Host, *paths: str) -> str:
    for path in paths:
        try:
            return host.file(path)
        except Absence:
            continue
    return ""


def _uptime(text: str) -> float:
    try:
        return float(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        raise Unreadable(f"/proc/uptime: {text!r:.40}") from None


def _memory(text: str) -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB$", text, re.MULTILINE)
    if found is None:
        raise Unreadable("/proc/meminfo has no MemTotal")
    return int(found[1]) * 1024
