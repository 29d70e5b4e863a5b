"""What probes say to a companion and what it says back: pure functions on bytes.

A question is the run's token and a nonce, the answer is the nonce alone. So an answer is shorter
than its question, holds nothing that could be used again, and is itself no question.
"""

from __future__ import annotations

import hmac

TOKEN_BYTES = 16
NONCE_BYTES = 24
QUESTION_BYTES = TOKEN_BYTES + NONCE_BYTES


def token_of(text: str) -> bytes:
    """The token from its hexadecimal form. Raises ValueError."""
    token = bytes.fromhex(text)
    if len(token) != TOKEN_BYTES:
        raise ValueError(f"a token has {TOKEN_BYTES} bytes")
    return token


def question(token: bytes, nonce: bytes) -> bytes:
    """What is sent."""
    return token + nonce


def answer(data: bytes, token: bytes) -> bytes | None:
    """The answer to these bytes; None: they are no question of this run and get none."""
    if len(data) != QUESTION_BYTES or not hmac.compare_digest(data[:TOKEN_BYTES], token):
        return None
    return data[TOKEN_BYTES:]
