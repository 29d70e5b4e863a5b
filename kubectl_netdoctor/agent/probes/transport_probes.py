"""UDP and TCP to the agents of other nodes, and this node's answers to theirs, in one loop.

Agents start at different moments. Each asks the others gently until it hears of them; from then on
both ends of a pair are there, and only what is sent from then on is counted. An agent stays until
all others have said that they need it no longer, or have been silent for a while.
"""

from __future__ import annotations

import random
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from kubectl_netdoctor.agent.absence import Absence, NotPresent, Unreadable
from kubectl_netdoctor.agent.collectors import protocol_counters
from kubectl_netdoctor.agent.counters import all_moved
from kubectl_netdoctor.agent.node_question import MOST_NUMBER
from kubectl_netdoctor.agent.probes import kernel_clock
from kubectl_netdoctor.agent.probes.addresses import is_address
from kubectl_netdoctor.agent.probes.meeting import Life, Meeting, Path
from kubectl_netdoctor.agent.probes.tally import TIMEOUT
from kubectl_netdoctor.agent.probes.upload_end import UploadEnd
from kubectl_netdoctor.agent.probes.uploads import ATTEMPTS, Upload
from kubectl_netdoctor.agent.question import token_of
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts import budget
from kubectl_netdoctor.facts.transport import (
    HOST_PORT,
    Heard,
    TransportPath,
    TransportProbes,
    TransportRole,
    UdpPath,
)

_MOST, _LEAST = 150, 50  # questions to a peer's own address while the window's length passes
_ALTOGETHER = 900  # of these to all peers, where there are few enough
_THROUGH = 25  # to the end of a peer's tunnel
_LONGEST = 3.0  # seconds that questions are spread over, however long the window is
_UPLOAD = 128 << 10  # some ninety segments
_TICK = 0.01
_CALL = 0.05  # seconds between questions to a peer that is not there yet
_RECONNECT = 1.0  # the same for connections
_KEEP = 0.1  # seconds between questions while only uploads go on: the peer stays for them
_LATE = 3.0  # seconds after the window's length in which a peer may come up
_ENDING = 4.5  # seconds more for what has begun, on a machine that is busy
_SILENT = 0.6  # a peer that asks nothing for so long has ended without a word
_BYES = 3
_ATTEMPT_APART = 0.2
_SECOND_SYN = 0.4  # it leaves after a second: one that passes is to be seen
_COUNTERS = (
    "Udp.InCsumErrors", "Udp.RcvbufErrors", "Udp6.InCsumErrors", "Tcp.InCsumErrors",
    "Tcp.RetransSegs", "Tcp.OutSegs",
)  # fmt: skip


@collector("transport_probes")
def transport_probes(run: Run) -> TransportProbes:
    """Both vantages of this node. Raises NotPresent where nobody can be asked or the port is taken."""
    plan = run.plan
    expected = set(plan.responders)
    if not plan.responder_token or not any(p.name in expected for p in plan.peers):
        raise NotPresent("no agent runs on another node in this run")
    try:
        token = token_of(plan.responder_token)
    except ValueError as exc:
        raise Unreadable(f"the plan's token: {exc}") from exc
    with selectors.DefaultSelector() as selector:
        crowd = _Crowd(run, token, selector)
        before = _counters(run)
        try:
            crowd.open()
            crowd.serve()
        except OSError as exc:
            run.note(f"transport_probes: port {HOST_PORT}: {exc.strerror}")
            raise NotPresent(f"port {HOST_PORT} of this node: {exc.strerror}") from exc
        finally:
            crowd.close()
        return crowd.fact(all_moved(before, _counters(run), "transport_probes", run.note))


def _counters(run: Run) -> dict[str, int]:
    try:
        found = protocol_counters.read(run)
    except Absence:
        return {}
    return {name: found[name] for name in _COUNTERS if name in found}


@dataclass(slots=True)
class _Way:
    """One path, its connections, and when it is due again (time.monotonic())."""

    path: Path
    upload: Upload
    step: float
    wanted: int
    due: float
    due_tcp: float
    counted: int = 0  # questions since the peer was first heard
    attempts: int = 0  # connections since then
    byes: int = 0

    @property
    def asked(self) -> bool:
        """Whether it has had all its questions."""
        return self.counted >= self.wanted

    @property
    def done(self) -> bool:
        """Whether nothing of it is going on."""
        return self.asked and self.upload.ending is not None and not self.upload.connecting


@dataclass(slots=True)
class _Crowd:
    """The whole loop."""

    run: Run
    token: bytes
    selector: selectors.BaseSelector
    began: float = field(default_factory=time.monotonic)
    ways: list[_Way] = field(default_factory=list)
    lives: dict[str, Life] = field(default_factory=dict)
    meeting: Meeting | None = None
    end: UploadEnd | None = None
    taken: int = 0  # datagrams dropped at our sockets

    def open(self) -> None:
        """Answer from now on. Raises OSError."""
        paths = list(_paths(self.run))
        self.lives = {p.peer: Life() for p in paths}
        self.meeting = Meeting(self.token, paths, self.lives)
        for sock in self.meeting.sockets:
            read = partial(self.meeting.readable, sock)
            self.selector.register(sock, selectors.EVENT_READ, read)
        self.end = UploadEnd(self.token, self.selector)
        self.end.listen([int(s.family) for s in self.meeting.sockets])
        span = min(self.run.plan.window_seconds * 0.9, _LONGEST)
        below = max(_LEAST, min(_MOST, _ALTOGETHER // len(self.lives)))
        each = {"node": below, "overlay": _THROUGH}
        total = sum(each[p.role] for p in paths)
        slower = max(1.0, total / (budget.TRANSPORT * span))
        size = max(16 << 10, min(_UPLOAD, budget.UPLOADS // max(1, len(paths))))
        patience = self.run.plan.probe_timeout_seconds + _SECOND_SYN
        for path in paths:
            step = span * slower / each[path.role]
            first = self.began + random.random() * step  # noqa: S311 - spreads load, hides nothing
            upload = Upload(path.address, self.token, size, patience, self.selector)
            self.ways.append(_Way(path, upload, step, each[path.role], first, first))

    def serve(self) -> None:
        """Ask and answer until all is done, or time is over."""
        late = self.began + self.run.plan.window_seconds + _LATE
        last = min(late + _ENDING, self.run.started + self.run.plan.deadline_seconds - 1.5)
        landing = 0.0
        while (now := time.monotonic()) < last:
            for key, _ in self.selector.select(_TICK):
                cast("Callable[[], None]", key.data)()
            for way in self.ways:
                self._turn(way, now)
            if self.end:
                self.end.tick()
            waiting = [w for w in self.ways if not w.done]
            if any(self.lives[w.path.peer].first or now < late for w in waiting):
                continue
            # What is on its way may still land, and slower peers may need us.
            landing = landing or now + self.run.plan.probe_timeout_seconds
            if (self._landed or now > landing) and not self._needed:
                return

    def _turn(self, way: _Way, now: float) -> None:
        """What is due on one path."""
        way.upload.tick()
        life = self.lives[way.path.peer]
        if life.first and way.asked:
            others = [w for w in self.ways if w.path.peer == way.path.peer]
            if all(w.asked for w in others):
                way.upload.begin()
            if all(w.done for w in others):
                self._bid_farewell(way, now)
                return
        if now >= way.due and len(way.path.asked) < MOST_NUMBER - _BYES and self.meeting:
            self.meeting.ask(way.path)
            way.counted += bool(life.first)
            pause = _KEEP if way.asked else way.step
            way.due = max(way.due, now - pause) + (pause if life.first else max(_CALL, pause))
        if now >= way.due_tcp and way.attempts < ATTEMPTS:
            way.upload.connect(counts=bool(life.first))
            way.attempts += bool(life.first)
            way.due_tcp = now + (_ATTEMPT_APART if life.first else _RECONNECT)
        elif life.first and not way.attempts:
            way.due_tcp = min(way.due_tcp, now)

    def _bid_farewell(self, way: _Way, now: float) -> None:
        if way.byes < _BYES and now >= way.due and self.meeting:
            self.meeting.ask(way.path, bye=True)
            way.byes += 1
            way.due = now + 2 * _TICK

    @property
    def _landed(self) -> bool:
        """Whether every question to a peer that was heard has an answer or an error."""
        return all(
            w.byes == _BYES and len(w.path.answers) + len(w.path.failed) >= len(w.path.asked)
            for w in self.ways
            if self.lives[w.path.peer].first
        )

    @property
    def _needed(self) -> bool:
        """Whether another agent still asks or sends."""
        since = kernel_clock.now() - int(_SILENT * 1e9)
        asks = self.meeting is not None and self.meeting.needed(since)
        return asks or (self.end is not None and self.end.busy)

    def close(self) -> None:
        """Stop asking and answering."""
        for way in self.ways:
            way.upload.close()
        if self.meeting:
            self.taken = self.meeting.dropped
            self.meeting.close()
        if self.end:
            self.end.close()

    def fact(self, deltas: dict[str, int]) -> TransportProbes:
        """What was seen."""
        heard = self.meeting.heard if self.meeting else {}
        return TransportProbes(
            seconds=round(time.monotonic() - self.began, 3),
            items=tuple(_item(w, self.lives[w.path.peer]) for w in self.ways),
            heard=tuple(Heard(source, n) for source, n in sorted(heard.items())),
            dropped=self.taken,
            deltas={name: moved for name, moved in deltas.items() if moved},
        )


def _paths(run: Run) -> list[Path]:
    """Addresses of peers whose agents run too."""
    found: list[Path] = []
    for peer in run.plan.peers:
        if peer.name not in run.plan.responders:
            continue
        roles: tuple[tuple[TransportRole, str | None], ...] = (
            ("node", peer.address),
            ("overlay", peer.overlay),
        )
        for role, address in roles:
            taken = any(p.address == address for p in found)
            if address and not taken and len(found) < 256 and is_address(address, run):
                found.append(Path(len(found), peer.name, role, address))
    if not found:
        raise NotPresent("no peer has an address")
    return found


def _item(way: _Way, life: Life) -> TransportPath:
    path = way.path
    return TransportPath(
        peer=path.peer,
        role=path.role,
        address=path.address,
        answered=bool(life.first),
        udp=udp_path(path, life),
        tcp=way.upload.fact(),
    )


def udp_path(path: Path, life: Life) -> UdpPath:
    """The counts of one path, from what was noted of each question."""
    alive = range(0)
    if life.first:
        inside = [n for n, left in enumerate(path.asked) if life.first <= left <= life.last]
        alive = range(inside[0], inside[-1] + 1) if inside else alive
    answered = sorted(n for n in path.answers if n in alive)
    spanned = arrived = 0
    if answered:
        first, last = answered[0], answered[-1]
        spanned = last - first + 1
        arrived = path.answers[last][0] - path.answers[first][0] + 1
    silent = len(path.asked) - len(path.answers.keys() | path.failed.keys())
    errors = dict(path.errors) | ({TIMEOUT: silent} if silent > 0 else {})
    return UdpPath(
        asked=len(path.asked),
        sent=len(alive),
        received=len(answered),
        spanned=spanned,
        arrived=max(len(answered), min(spanned, arrived)),
        rtt_ms=tuple(round(path.answers[n][1] / 1e6, 3) for n in answered),
        errors=dict(sorted(errors.items())),
    )
