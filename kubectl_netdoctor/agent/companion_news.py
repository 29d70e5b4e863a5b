"""What the command line tells an agent that runs: the addresses of companions, in a file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.plan import CompanionNews, read_news

NEWS = "NETDOCTOR_NEWS"
"""Variable with the file's path: an annotation of the agent's Pod, renewed by the kubelet."""
IFF_UP = 1  # linux/if.h
_NOWHERE = "/nonexistent"
_LOOK_SECONDS = 0.02


def forwarding(host: Host) -> str | None:
    """net.ipv4.ip_forward of the node, None where it cannot be read."""
    try:
        return host.kernel(host.proc / "sys/net/ipv4/ip_forward").strip()
    except Absence:
        return None


def repairs(host: Host) -> str | None:
    """What starting a pod would set right on this node; None where it would change nothing."""
    if forwarding(host) == "0":
        return "net.ipv4.ip_forward is 0"
    down = [name for name in _bridges(host) if not _up(host, name)]
    return f"{', '.join(down)} is down" if down else None


def _bridges(host: Host) -> Iterator[str]:
    """Bridges with ports."""
    with suppress(Absence):
        for name in host.names(host.sys / "class/net"):
            with suppress(Absence):
                if host.names(host.sys / "class/net" / name / "brif"):
                    yield name


def _up(host: Host, name: str) -> bool:
    try:
        return bool(int(host.kernel(host.sys / "class/net" / name / "flags"), 16) & IFF_UP)
    except (Absence, ValueError):
        return True  # not known to be down


def wait_for_news(run: Run) -> CompanionNews:
    """What the annotation says, as soon as it is there.

    Raises NotPresent where it does not come in time or names no companion at all. Where a pod would
    repair the node, none is started, and nothing is waited for.
    """
    path = Path(os.environ.get(NEWS) or _NOWHERE)
    broken = repairs(run.host)
    end = run.started + (0.0 if broken else run.plan.companions_within)
    while True:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            text = ""
        if text:
            break
        if time.monotonic() > end:
            if broken:
                raise NotPresent(f"{broken}: no companion is started, it would be set right")
            raise NotPresent(f"no news of companions within {run.plan.companions_within:g} s")
        time.sleep(_LOOK_SECONDS)
    try:
        news = read_news(text)
    except DecodeError as exc:
        raise Unreadable(f"the news of companions: {exc}") from exc
    if not news.own and not news.peers:
        raise NotPresent("no companion came up, neither here nor at a peer")
    return news
