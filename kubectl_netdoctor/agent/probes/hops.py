"""Listens for this run's marked probes on the interfaces that they pass, from the first to the last."""

from __future__ import annotations

import threading
import time

from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.mark import magic
from kubectl_netdoctor.agent.probes import companion_taps, taps
from kubectl_netdoctor.agent.probes.sightings import Book
from kubectl_netdoctor.agent.probes.taps import Links, Listener
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.hops import Hops, WayOut

MARKED = ("path_probes", "path_mtu", "pod_probes")
_LINGER = 0.1  # seconds after the last own probe: others may be a little later


@collector("hops")
def hops(run: Run) -> Hops:
    """What passed, interface by interface.

    A packet that leaves is seen after all filters and queues, one that comes in before any. On a
    bond or a VLAN the upper device is listened on. What WireGuard has encrypted is not recognised.
    Raises NotPresent where no other node is probed, Denied without CAP_NET_RAW.
    """
    listening: list[Listener] = []
    try:
        book, ways = Book(magic(run.plan.run), run.kept), _open(run, listening)
        started = time.time()
    except BaseException:
        _close(listening)
        raise
    finally:
        run.listening.opened()
    threading.Thread(target=_open_in_pod, args=(run, listening), daemon=True).start()
    try:
        own = set(MARKED) & set(run.plan.facts)
        latest = max(run.window_end, time.monotonic()) + _latest(run)
        run.listening.until_ended(own, latest, lambda: book.drain(listening))
        time.sleep(_LINGER)
        book.drain(listening)
    finally:
        _close(listening)
    return Hops(
        started=round(started, 3),
        ended=round(time.time(), 3),
        taps=tuple(one.fact for one in listening),
        ways=tuple(ways),
        sightings=book.facts(),
        truncated=book.truncated,
    )


def _latest(run: Run) -> float:
    """Seconds after the window's end that probes may still be on their way."""
    plan = run.plan
    half = plan.window_seconds / 2  # what a probe that started late may be late at most
    return half + plan.probe_timeout_seconds + plan.companions_within


def _open(run: Run, listening: list[Listener]) -> list[WayOut]:
    """Open all taps; the ways that peers' addresses take."""
    peers = run.plan.peers
    if not peers:
        raise NotPresent("no other node is probed")
    host = run.host
    links = Links.of(host.netlink("links"))
    names = {m["index"]: name for name, m in links.items.items()}
    ways = taps.ways_out(host, peers, names)
    listening += taps.listeners(links, ways)
    for one in listening:
        if one.missing is None:
            one.open(magic(run.plan.run), timed=run.kept is not None)
    return ways


def _open_in_pod(run: Run, listening: list[Listener]) -> None:
    """Open the taps on the companion's way as soon as there is one."""
    try:
        if run.plan.companions_within:
            listening += companion_taps.opened(run, magic(run.plan.run), listening)
    except Absence as absence:
        run.note(f"hops: not on the companion's way: {absence}")
    finally:
        run.listening.opened_in_pod()


def _close(listening: list[Listener]) -> None:
    for one in listening:
        one.close()
