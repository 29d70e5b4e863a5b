"""Kernel parameters, by sysctl(8)'s names."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from kubectl_netdoctor.agent.absence import Absence
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.base import Missing, Reason
from kubectl_netdoctor.facts.system import Sysctls

_WILD = frozenset("*?[")
_MOST = 4096  # names that one pattern may stand for


@collector("sysctls")
def sysctls(run: Run) -> Sysctls:
    """Values of the parameters that the plan names; `*` as one part stands for every such part.

    What a pattern stands for is listed under its real names, and a pattern that stands for
    nothing under itself.
    """
    values: dict[str, str | Missing] = {}
    for asked in run.plan.sysctls:
        parts = split_name(asked)
        if not _WILD & set(asked):
            values[asked] = _value(run.host, parts)
            continue
        for count, real in enumerate(_expand(run.host, parts)):
            if count == _MOST:
                run.note(
                    f"sysctls: {asked} stands for more than {_MOST} names: the rest is left out"
                )
                break
            values[join_name(real)] = _value(run.host, real)
        else:
            if not any(fnmatch.fnmatchcase(name, asked) for name in values):
                values[asked] = Missing(Reason.NOT_PRESENT, f"{asked} matches nothing")
    return Sysctls(values)


def split_name(name: str) -> tuple[str, ...]:
    """Parts of a parameter's name, dotted or with slashes, as sysctl(8) reads it.

    In the dotted form a slash stands for a dot within a part: `net.ipv4.conf.eth0/1.rp_filter`.
    """
    if name.partition("/")[0].count("."):
        return tuple(part.replace("/", ".") for part in name.split("."))
    return tuple(name.strip("/").split("/")) if "/" in name else (name,)


def join_name(parts: tuple[str, ...]) -> str:
    """The dotted form of a name."""
    return ".".join(part.replace(".", "/") for part in parts)


def _expand(host: Host, parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Names of existing parameters that a pattern stands for."""
    wild = next((i for i, part in enumerate(parts) if _WILD & set(part)), None)
    if wild is None:
        if (host.proc / "sys").joinpath(*parts).exists():
            yield parts
        return
    try:
        names = host.names((host.proc / "sys").joinpath(*parts[:wild]))
    except Absence:
        return
    for name in names:
        if fnmatch.fnmatchcase(name, parts[wild]):
            yield from _expand(host, (*parts[:wild], name, *parts[wild + 1 :]))


def _value(host: Host, parts: tuple[str, ...]) -> str | Missing:
    """One value, as the kernel prints it with single spaces."""
    if any(part in ("", ".", "..") for part in parts):
        return Missing(Reason.NOT_PRESENT, "this is no name of a kernel parameter")
    try:
        return " ".join(host.kernel((host.proc / "sys").joinpath(*parts)).split())
    except Absence as absence:
        return absence.missing()
