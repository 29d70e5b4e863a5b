"""One node's answer and its two wire forms: the framed log and the termination message."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.base import FACTS, KEYS, SCHEMA_VERSION, Missing, Reason, Scope
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.facts.framing import framed, inflate, unframed

MAX_ENVELOPE_BYTES = 64 << 20  # decoded; a node with 50,000 rules needs about 10 MB
TERMINATION_MESSAGE_BYTES = 4096  # the kubelet's limit for one container
_WORD = "netdoctor/begin"
_WHAT = "report"
_SUMMARY = "netdoctor/summary:"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything that one node said in one run. `facts` holds fact objects or Missing by key."""

    schema: int
    run: str
    node: str
    agent_version: str
    started: str  # RFC 3339, UTC
    ended: str
    facts: dict[str, Any]
    seconds: dict[str, float]  # how long each fact took
    log: tuple[str, ...]

    def get(self, key: str) -> object:
        """The fact of that key, or Missing."""
        return self.facts.get(key, Missing(Reason.NOT_ASKED, "the plan did not ask for it"))


def to_json(envelope: Envelope) -> dict[str, Any]:
    """JSON object of an envelope."""
    out: dict[str, Any] = codec.encode(envelope)
    return out


def from_json(data: object, path: str = "$") -> Envelope:
    """Read to_json()'s form. Facts of unknown keys are refused. Raises DecodeError."""
    if not isinstance(data, dict) or not isinstance(data.get("facts"), dict):
        msg = f"{path}: not an envelope"
        raise DecodeError(msg)
    if data.get("schema") != SCHEMA_VERSION:
        msg = (
            f"{path}: the agent speaks schema {data.get('schema')!r:.20}, this tool "
            f"{SCHEMA_VERSION}: use the agent image of the same version"
        )
        raise DecodeError(msg)
    facts = decode_facts(data["facts"], Scope.NODE, f"{path}.facts")
    bare = {**data, "facts": {}}
    return dataclasses.replace(codec.decode(_Bare, bare, path).full(), facts=facts)


def decode_facts(data: object, scope: Scope, path: str) -> dict[str, Any]:
    """Facts by key from their JSON object. Raises DecodeError on keys of another scope too."""
    if not isinstance(data, dict):
        msg = f"{path}: expected an object"
        raise DecodeError(msg)
    facts: dict[str, Any] = {}
    for key, value in data.items():
        known = FACTS.get(str(key))
        if known is None or known.scope is not scope:
            msg = f"{path}: unknown fact {str(key)!r:.60}"
            raise DecodeError(msg)
        hint: Any = known.cls | Missing
        facts[key] = codec.decode(hint, value, f"{path}.{key}")
    return facts


@dataclass(frozen=True, slots=True)
class _Bare:
    """An envelope whose facts are read apart, each by its own class."""

    schema: int
    run: str
    node: str
    agent_version: str
    started: str
    ended: str
    facts: dict[str, str]
    seconds: dict[str, float]
    log: tuple[str, ...]

    def full(self) -> Envelope:
        return Envelope(**{f.name: getattr(self, f.name) for f in dataclasses.fields(self)})


def frame(envelope: Envelope) -> str:
    """The log form."""
    return framed(_WORD, codec.dumps(to_json(envelope)).encode())


def unframe(log: bytes) -> Envelope:
    """Read a log that holds frame()'s form. Raises DecodeError as unframed() does."""
    return from_json(codec.loads(unframed(log, _WORD, _WHAT, MAX_ENVELOPE_BYTES)))


def summarize(envelope: Envelope, order: Iterable[str]) -> str:
    """The termination message: as many facts, in `order`, as fit 4,096 bytes.

    It travels by another way than the log (pushed by the kubelet), so it arrives where
    the API server cannot reach the kubelet's port 10250.
    """
    kept: dict[str, Any] = {}
    best = _summary(dataclasses.replace(envelope, facts={}, seconds={}, log=()))
    for key in order:
        if key not in envelope.facts:
            continue
        trial = {**kept, key: envelope.facts[key]}
        text = _summary(dataclasses.replace(envelope, facts=trial, seconds={}, log=()))
        if len(text) <= TERMINATION_MESSAGE_BYTES:
            kept, best = trial, text
    return best


def _summary(envelope: Envelope) -> str:
    raw = codec.dumps(to_json(envelope)).encode()
    return f"{_SUMMARY}{len(raw)}:{base64.b85encode(zlib.compress(raw, 9)).decode()}"


def unsummarize(text: str) -> Envelope:
    """Read summarize()'s form; facts that did not fit are Missing. Raises DecodeError."""
    head, _, body = text.removeprefix(_SUMMARY).partition(":")
    if not text.startswith(_SUMMARY) or not head.isascii() or not head.isdigit() or len(head) > 9:
        msg = "the termination message is not the agent's"
        raise DecodeError(msg)
    raw = inflate(body.strip().encode(), int(head), base64.b85decode, _WHAT, MAX_ENVELOPE_BYTES)
    envelope = from_json(codec.loads(raw))
    absent = Missing(Reason.NOT_REPORTED, "only the short summary arrived, the log did not")
    rest = {k: absent for k, f in FACTS.items() if f.scope is Scope.NODE}
    return dataclasses.replace(envelope, facts={**rest, **envelope.facts})


def key_of(cls: type) -> str:
    """Wire key of a fact class."""
    return KEYS[cls]
