"""Takes a text apart into words and addresses, and gives each its pseudonym."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kubectl_netdoctor.redaction import public
from kubectl_netdoctor.redaction.addresses import Addresses
from kubectl_netdoctor.redaction.pseudonyms import FORM, Pseudonyms

_V4 = r"(?:\d{1,3}\.){3}\d{1,3}"
_V6 = (
    r"(?:[0-9A-Fa-f]{0,4}:){2,7}"
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{1,4}|(?<=::))"
)
TOKEN = re.compile(
    rf"""
    (?P<time>\b\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)
  | (?P<uuid>(?<![\w-])[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}(?![\w-]))
  | (?P<mac>(?<![\w:-])[0-9A-Fa-f]{{2}}(?:(?P<sep>[:-])[0-9A-Fa-f]{{2}})(?:(?P=sep)[0-9A-Fa-f]{{2}}){{4}}(?!:?\w))
  | "addr":\s*"(?P<json>{_V4}|{_V6})",\s*"len":\s*(?P<len>\d{{1,3}})
  | (?<![\w.])(?P<ip>{_V4})(?:/(?P<mask>\d{{1,2}})(?!\d))?(?![\w]|\.\d)
  | (?<![\w:.])(?P<ip6>{_V6})(?:/(?P<mask6>\d{{1,3}})(?!\d))?(?!:?\w)
  | (?P<chain>\bKUBE-(?:SVC|SVL|SEP|FW|EXT|XLB|POD-FW)-)(?P<digest>[A-Z2-7]{{16}})\b
  | (?P<port>\b(?:veth|cali|lxc|tap|azv|eni|gke))(?P<hex>[0-9a-f]{{6,11}})\b
  | (?P<word>[^\W_]+(?:[._-]*[^\W_]+)*)
    """,
    re.VERBOSE,
)
# An address in a name, as clouds make them: ip-10-0-3-7, nginx-10.0.3.7.
INNER = re.compile(r"(?<![\d.])\d{1,3}(?P<dot>[.-])(?:\d{1,3}(?P=dot)){2}\d{1,3}(?![\d]|\.\d)")
PART = re.compile(r"[^\W_]+")
PIECE = re.compile(r"([A-Za-z]+)(\d{0,5})")
NUMBER = re.compile(
    r"\d+|0x[0-9a-fA-F]{1,8}|(?:\d+(?:[num]?s|m|h|d))+|\d+(?:[kKMGT]i?B?|B|bit)|v\d{1,3}(?:(?:alpha|beta)\d{1,2})?"
)


@dataclass(slots=True)
class Words:
    """What is done with words. `nodes`, `namespaces` and `objects`: the names that were found."""

    addresses: Addresses
    table: Pseudonyms
    nodes: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)  # texts of this walk

    def text(self, text: str) -> str:
        """Any text, word by word; what stands between them stays."""
        known = self.seen.get(text)
        if known is None:
            plain = text in public.texts() and not text[:1].isdigit()
            known = text if plain else TOKEN.sub(self._token, text)
            self.seen[text] = known
        return known

    def node(self, name: str) -> str:
        """The name of a node: always another one."""
        if not name:
            return name
        self.nodes.add(name)
        return self.table.of("node", name)

    def namespace(self, name: str) -> str:
        """The name of a namespace, unless our source knows it."""
        if not name or name in public.names():
            return name
        self.namespaces.add(name)
        return self.table.of("ns", name)

    def name(self, name: str) -> str:
        """The name of an object, part by part, so that pods keep the beginning of their owner's."""
        if not name or name in public.names():
            return name
        self.objects.add(name)
        head = name
        while "-" in head:
            head = head.rpartition("-")[0]
            if head in public.names():
                return head + self._parts(name[len(head) :])
        return self._parts(name)

    def _parts(self, text: str) -> str:
        """Every part that is no number, and addresses."""
        return with_inner(
            text,
            self.addresses,
            lambda rest: self._replace(rest, str.isdecimal),
        )

    def _token(self, found: re.Match[str]) -> str:
        text = found[0]
        if found["time"]:
            return text
        if found["uuid"]:
            return self._shaped(text, _uuid)
        if address := moved(found, self.addresses):
            return address
        if found["chain"]:
            return found["chain"] + self._shaped(found["digest"], _base32)
        if found["port"]:
            return found["port"] + self._shaped(found["hex"], _hex)
        return self._word(text, found)

    def _shaped(self, text: str, shape: Callable[[bytes, int], str]) -> str:
        known = self.table.shaped.get(text)
        if known is None:
            known = shape(self.addresses.token(text), len(text))
            self.table.shaped[text] = known
        return known

    def place(self, digits: str) -> str:
        """Hexadecimal digits that stand for something."""
        return self._shaped(digits, _hex)

    def _word(self, text: str, found: re.Match[str]) -> str:
        """One word with its dots and dashes: as a whole, label by label, or part by part."""
        if text in self.nodes and text.lower() not in public.words():
            return self.table.of("node", text)
        if FORM.match(text):
            return self.table.of("", text)
        before = found.string[found.start() - 1 : found.start()]
        after = found.string[found.end() : found.end() + 1]
        if text in self.namespaces and (after == "/" or not self._plain(text)):
            return self.table.of("ns", text)
        if text in self.objects and (before == "/" or not self._plain(text)):
            return self.name(text)
        if text in public.texts() and not text[:1].isdigit():
            return text
        if INNER.search(text):
            return with_inner(text, self.addresses, lambda rest: self._replace(rest, self._plain))
        if "." in text:
            return ".".join(self._label(label) for label in text.split("."))
        return self._replace(text, self._plain)

    def _label(self, label: str) -> str:
        if label in self.nodes:
            return self.table.of("node", label)
        if label in self.namespaces:
            return self.table.of("ns", label)
        if label in self.objects:
            return self.name(label)
        return self._replace(label, self._plain)

    def _replace(self, text: str, stays: Callable[[str], bool]) -> str:
        """Every part that may not stay, and in which no program is named."""
        spans = [found.span() for found in public.PROGRAM.finditer(text)]

        def part(found: re.Match[str]) -> str:
            named = any(a < found.end() and found.start() < b for a, b in spans)
            return found[0] if named or stays(found[0]) else self.table.of("", found[0])

        return PART.sub(part, text)

    @staticmethod
    def _plain(part: str) -> bool:
        """Whether a part is a number, or made of public words."""
        if NUMBER.fullmatch(part):
            return True
        if FORM.match(part):
            return False
        known = public.words()
        if part.lower() in known or part.lower().rstrip("0123456789") in known:
            return True
        piece = PIECE.fullmatch(part)
        if piece and piece[1].lower() in known:
            return True
        camel = public.CAMEL.findall(part)
        return "".join(camel) == part and all(len(c) > 1 and c.lower() in known for c in camel)


def with_inner(
    text: str, addresses: Addresses, other: Callable[[str], str], *, back: bool = False
) -> str:
    """A name with its addresses moved, and `other` done to what is between them."""
    out, at = [], 0
    for found in INNER.finditer(text):
        try:
            address = ipaddress.ip_address(found[0].replace("-", "."))
        except ValueError:
            continue
        new = str(addresses.ip(address, back=back)).replace(".", found["dot"])
        out += [other(text[at : found.start()]), new]
        at = found.end()
    return "".join([*out, other(text[at:])])


def moved(found: re.Match[str], addresses: Addresses, *, back: bool = False) -> str | None:
    """The other address of a token that is one; None: it only looks like one, or is none."""
    if found["mac"]:
        return addresses.mac(found["mac"], back=back)
    if found["json"]:
        other = _ip(found["json"], found["len"], addresses, back=back)
        return other and found[0].replace(found["json"], other, 1)
    mask = found["mask"] or found["mask6"]
    other = _ip(found["ip"] or found["ip6"] or "", mask, addresses, back=back)
    return other and other + (f"/{mask}" if mask else "")


def _ip(text: str, mask: str | None, addresses: Addresses, *, back: bool) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if mask:
        other = addresses.network(address, int(mask), back=back)
    else:
        other = addresses.ip(address, back=back)
    return text if other == address else str(other)  # what stays is written as before


def _uuid(token: bytes, _: int) -> str:
    text = token.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _base32(token: bytes, length: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(letters[b & 31] for b in token[:length])


def _hex(token: bytes, length: int) -> str:
    return token.hex()[:length]
