"""Secrets that only a blank parts from the word before: `token X`, `Bearer X`, `secret NAME X`.

People and programs write about tokens all the time, so only what looks like one is taken out.
"""

from __future__ import annotations

import re

GONE = "***"
WORD = re.compile(
    r"""(?P<blank>\s*+)(?P<open>["'`(\[{<\\]*+)(?P<value>[^\s"'`,;\\(){}\[\]<>]*+)(?P<rest>\S*+)"""
)
SAYS = re.compile(
    r"(?i:passw(?:or)?d|passphrase|secret|token|psk|credentials?|key)[\"'\\]{0,4}[:=]?$"
)
SCHEME = re.compile(r"(?i:\b(?:bearer|basic))[:=]?$")
LONGEST = 64  # of the end of a word that is looked at
REACH = 2  # words: CoreDNS's tsig plugin puts the key's name first
NAME = re.compile(r"(?=[a-z0-9]*+[-./:_@])[-a-z0-9./:_@]+")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
USUAL = re.compile(
    r"v\d+(?:alpha|beta)\d+|[A-Z]+(?:-[A-Z0-9]+)+|\d{4}-\d\d-\d\dT.*|0x[0-9a-f]{1,8}"
)
"""Versions of an API, chains, times, keys of tunnels."""
SENTENCE = re.compile(r"[A-Za-z]?[a-z]*[.:=]?")
SHORTEST = 8


def hide_spoken(text: str) -> str:
    """The text with three stars for each such word."""
    left, scheme = 0, False

    def word(found: re.Match[str]) -> str:
        nonlocal left, scheme
        if "\n" in found["blank"]:
            left, scheme = 0, False
        value = found["value"]
        gone = (left and _looks_random(value)) or (scheme and _is_credential(value))
        end = found[0][-LONGEST:]
        left = 0 if value.startswith("-") else max(left - 1, 0)  # another option has begun
        if SAYS.search(end):
            left = REACH
        scheme = bool(SCHEME.search(end))
        if not gone:
            return found[0]
        return f"{found['blank']}{found['open']}{GONE}{found['rest']}"

    return WORD.sub(word, text)


def _looks_random(word: str) -> bool:
    """Letters and digits, and no name, version or time."""
    return (
        len(word) >= SHORTEST
        and any(c.isdigit() for c in word)
        and any(c.isalpha() for c in word)
        and (bool(UUID.fullmatch(word)) or not NAME.fullmatch(word))
        and not USUAL.fullmatch(word)
    )


def _is_credential(word: str) -> bool:
    """After Bearer or Basic: anything that is no word of a sentence."""
    return len(word) >= SHORTEST and not SENTENCE.fullmatch(word)
