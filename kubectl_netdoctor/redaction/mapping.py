"""The map of a redaction: a local file with which an answer is translated back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kubectl_netdoctor.facts import codec
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.redaction.domains import reverse
from kubectl_netdoctor.redaction.pseudonyms import KINDS, Pseudonyms
from kubectl_netdoctor.redaction.redact import Redaction
from kubectl_netdoctor.redaction.tokens import TOKEN, moved, with_inner

KIND = "netdoctor-redaction-map"
SCHEMA_VERSION = 1
PSEUDONYM = re.compile(r"(?<![^\W_])(?:node|ns)?q\d+(?![^\W_])")


@dataclass(frozen=True, slots=True)
class _Map:
    kind: str
    schemaVersion: int  # noqa: N815  # as in our other files
    key: str
    numbered: dict[str, dict[str, int]]
    widths: dict[str, int]
    shaped: dict[str, str]
    straight: tuple[str, ...]


def to_text(redaction: Redaction) -> str:
    """The map file: whoever has it can undo the redaction."""
    table = redaction.table
    form = _Map(
        KIND,
        SCHEMA_VERSION,
        redaction.key.hex(),
        table.numbered,
        table.widths,
        table.shaped,
        tuple(sorted(redaction.straight)),
    )
    return json.dumps(codec.encode(form), indent=1, sort_keys=True) + "\n"


def from_text(text: str | bytes) -> Redaction:
    """Read to_text()'s form. Raises DecodeError."""
    data = codec.loads(text)
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise DecodeError("this is no map of a redaction")
    if data.get("schemaVersion") != SCHEMA_VERSION:
        raise DecodeError(f"the map has schema version {data.get('schemaVersion')!r:.20}")
    form = codec.decode(_Map, data)
    try:
        key = bytes.fromhex(form.key)
    except ValueError as exc:
        raise DecodeError("$.key: no hexadecimal digits") from exc
    if set(form.numbered) != set(KINDS) or set(form.widths) != set(KINDS):
        raise DecodeError("$.numbered: the kinds are not those of this tool")
    if any(not 0 < width < 20 for width in form.widths.values()):
        raise DecodeError("$.widths: number out of range")
    table = Pseudonyms(form.numbered, form.shaped, form.widths)
    return Redaction(key, table, begun=True, straight=frozenset(form.straight))


class Translator:
    """Takes pseudonyms back, in as many texts as there are."""

    def __init__(self, redaction: Redaction) -> None:
        self._addresses = redaction.addresses
        self._back = redaction.table.backwards()

    def translate(self, text: str) -> str:
        """A text in the words of before."""
        return TOKEN.sub(self._original, text)

    def _original(self, found: re.Match[str]) -> str:
        token, back = found[0], self._back
        if found["time"]:
            return token
        if found["uuid"]:
            return back.get(token, token)
        if found["chain"]:
            return found["chain"] + back.get(found["digest"], found["digest"])
        if found["port"]:
            return found["port"] + back.get(found["hex"], found["hex"])
        if found["word"]:
            return back.get(token) or self._name(token)
        return moved(found, self._addresses, back=True) or token

    def _name(self, text: str) -> str:
        if turned := reverse(text, self._addresses, back=True):
            return self.translate(turned[0]) + turned[1]
        return with_inner(text, self._addresses, self._words, back=True)

    def _words(self, text: str) -> str:
        return PSEUDONYM.sub(lambda m: self._back.get(m[0], m[0]), text)
