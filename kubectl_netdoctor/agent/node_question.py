"""What agents on nodes say to each other over UDP and TCP: pure functions on bytes.

A UDP question starts with the run's token; its answer is shorter, holds nothing of the token, and
is itself no question. A TCP upload starts with the token too and is answered with a count.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass

from kubectl_netdoctor.agent.question import TOKEN_BYTES

SESSION_BYTES = 8
MOST_NUMBER = 4096  # questions of one asker on one path
MOST_UPLOAD = 1 << 20
_ASK = struct.Struct(f"!{TOKEN_BYTES}s{SESSION_BYTES}sBBI")
_SAY = struct.Struct(f"!{SESSION_BYTES}sBIII")
_HEAD = struct.Struct(f"!{TOKEN_BYTES}sI")
QUESTION_BYTES, ANSWER_BYTES, HEAD_BYTES = _ASK.size, _SAY.size, _HEAD.size
COUNT = struct.Struct("!I")
_BYE = 1
_MOST_HELD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Question:
    """Which asker, which of its paths, and the number on that path; `bye`: it needs us no longer."""

    session: bytes
    path: int
    number: int
    bye: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """To which question, how many of its path came in so far, and how long this one waited here."""

    session: bytes
    path: int
    number: int
    count: int
    held_us: int


def pack_question(token: bytes, asked: Question) -> bytes:
    """What is sent."""
    flags = _BYE if asked.bye else 0
    return _ASK.pack(token, asked.session, asked.path, flags, asked.number)


def read_question(data: bytes, token: bytes) -> Question | None:
    """The question in these bytes; None: it is none of this run and gets no answer."""
    if len(data) != QUESTION_BYTES or not hmac.compare_digest(data[:TOKEN_BYTES], token):
        return None
    _, session, path, flags, number = _ASK.unpack(data)
    if number >= MOST_NUMBER:
        return None
    return Question(session, path, number, bool(flags & _BYE))


def pack_answer(said: Answer) -> bytes:
    """What is sent back."""
    held = max(0, min(said.held_us, _MOST_HELD))
    return _SAY.pack(said.session, said.path, said.number, said.count, held)


def read_answer(data: bytes, session: bytes) -> Answer | None:
    """The answer in these bytes, None where it is none to a question of that session."""
    if len(data) != ANSWER_BYTES or data[:SESSION_BYTES] != session:
        return None
    return Answer(*_SAY.unpack(data))


def pack_head(token: bytes, size: int) -> bytes:
    """What comes before the bytes of an upload."""
    return _HEAD.pack(token, size)


def read_head(data: bytes, token: bytes) -> int | None:
    """Bytes that an upload will have; None: it is none of this run."""
    if len(data) != HEAD_BYTES or not hmac.compare_digest(data[:TOKEN_BYTES], token):
        return None
    size = int(_HEAD.unpack(data)[1])
    return size if size <= MOST_UPLOAD else None
