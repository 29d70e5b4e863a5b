"""Kernel, CPU and memory facts of one node."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Missing, fact


@fact("kernel")
@dataclass(frozen=True, slots=True)
class Kernel:
    """What the node runs on: uname(2), os-release(5), DMI and /proc/uptime."""

    release: str  # 6.1.0-18-amd64
    machine: str  # x86_64
    cpus: int  # online
    hypervisor: str | None  # kvm, vmware, xen, microsoft …; None on bare metal
    distribution: str | None  # ID of os-release: debian, ubuntu, flatcar …
    distribution_version: str | None  # VERSION_ID
    uptime_seconds: float
    memory_bytes: int
    boot_id: str  # the same on two "nodes" that share one kernel


@fact("sysctls")
@dataclass(frozen=True, slots=True)
class Sysctls:
    """Kernel parameters by dotted name, values as the kernel prints them with single spaces.

    A parameter that the node's network namespace does not have is Missing, not 0.
    """

    values: dict[str, str | Missing]

    def get(self, name: str) -> str | None:
        """Value of one parameter, None where it could not be read or was not asked for."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Value of a one-number parameter, None where it is not there or not a number."""
        value = self.get(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Ticks (USER_HZ) that one CPU spent in each state inside the window; proc(5), /proc/stat."""

    cpu: int
    user: int
    nice: int
    system: int
    idle: int
    iowait: int
    irq: int
    softirq: int
    steal: int

    @property
    def total(self) -> int:
        """All ticks of the window (guest time is part of user time)."""
        return (
            self.user
            + self.nice
            + self.system
            + self.idle
            + self.iowait
            + self.irq
            + self.softirq
            + self.steal
        )


@fact("cpu_times")
@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Per-CPU time inside the window."""

    window_seconds: float
    cpus: tuple[CpuTime, ...]


@dataclass(frozen=True, slots=True)
class SoftnetCpu:
    """Packets of one CPU's backlog inside the window; kernel doc networking/scaling."""

    cpu: int
    processed: int
    dropped: int
    squeezed: int


@fact("softnet")
@dataclass(frozen=True, slots=True)
class Softnet:
    """/proc/net/softnet_stat inside the window."""

    window_seconds: float
    cpus: tuple[SoftnetCpu, ...]


@fact("softirqs")
@dataclass(frozen=True, slots=True)
class Softirqs:
    """Soft interrupts per kind (NET_RX, NET_TX, TIMER …), one count per CPU, inside the window."""

    window_seconds: float
    counts: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PressureLine:
    """One line of a PSI file: share of time stalled (percent, 10 s average) and stall time."""

    avg10: float
    stalled_us: int  # inside the window


@fact("pressure")
@dataclass(frozen=True, slots=True)
class Pressure:
    """Pressure stall information, kernel doc accounting/psi; keys such as `cpu.some`, `io.full`."""

    window_seconds: float
    lines: dict[str, PressureLine]


@fact("protocol_counters")
@dataclass(frozen=True, slots=True)
class ProtocolCounters:
    """/proc/net/snmp and /proc/net/netstat inside the window, keys such as `TcpExt.ListenDrops`.

    Only counters that moved are listed; what is not listed did not move.
    """

    window_seconds: float
    deltas: dict[str, int]


@fact("components")
@dataclass(frozen=True, slots=True)
class Components:
    """Node components seen as processes (kubelet, kube-proxy, containerd, k3s, cilium-agent …).

    `kube_proxy_healthz`: HTTP status of 127.0.0.1:10256/healthz, None where nothing listens.
    """

    processes: tuple[str, ...]
    kube_proxy_healthz: int | None
