"""What the command line tells an agent that runs: the addresses of companions, in a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.host import Host
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.plan import CompanionNews, read_news

NEWS = "NETDOCTOR_NEWS"
"""Variable with the file's path: an annotation of the agent's Pod, renewed by the kubelet."""
_NOWHERE = "/nonexistent"
_LOOK_SECONDS = 0.02


def forwarding(host: Host) -> str | None:
    """net.ipv4.ip_forward of the node, None where it cannot be read."""
    try:
        return host.kernel(host.proc / "sys/net/ipv4/ip_forward").strip()
    except Absence:
        return None


def wait_for_news(run: Run) -> CompanionNews:
    """What the annotation says, as soon as it is there.

    Raises NotPresent where it does not come in time or names no companion at all. Where the node
    does not forward, none is started, and nothing is waited for.
    """
    path = Path(os.environ.get(NEWS) or _NOWHERE)
    waits = forwarding(run.host) != "0"
    end = run.started + (run.plan.companions_within if waits else 0.0)
    while True:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            text = ""
        if text:
            break
        if time.monotonic() > end:
            if not waits:
                raise NotPresent(
                    "net.ipv4.ip_forward is 0: no companion is started, it would be set"
                )
            raise NotPresent(f"no news of companions within {run.plan.companions_within:g} s")
        time.sleep(_LOOK_SECONDS)
    try:
        news = read_news(text)
    except DecodeError as exc:
        raise Unreadable(f"the news of companions: {exc}") from exc
    if not news.own and not news.peers:
        raise NotPresent("no companion came up, neither here nor at a peer")
    return news
