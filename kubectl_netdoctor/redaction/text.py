"""Takes a text apart into words and addresses, and gives each its pseudonym."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kubectl_netdoctor.redaction import domains, public
from kubectl_netdoctor.redaction.addresses import Addresses
from kubectl_netdoctor.redaction.pseudonyms import FORM, Pseudonyms
from kubectl_netdoctor.redaction.tokens import INNER, TOKEN, moved, with_inner

LONGEST = 254  # characters of a name and a slash
ACCOUNT = 12  # digits of an AWS account
MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}"
    r"(?!(?:service|socket|timer|target|slice|mount|scope|path|device|swap)\b)[A-Za-z]{2,24}(?![\w-])"
)
NAME = re.compile(r"[^\W_]+(?:[._-]*[^\W_]+)*")
NOT_NAME = re.compile(r"[^\w.-]")
PART = re.compile(r"[^\W_]+")
PIECE = re.compile(r"([A-Za-z]+)(\d{0,5})")
NUMBER = re.compile(
    r"\d+|0x[0-9a-fA-F]{1,8}|(?:\d+(?:[num]?s|m|h|d))+|\d+(?:[kKMGT]i?B?|B|bit)|v\d{1,3}(?:(?:alpha|beta)\d{1,2})?"
)


@dataclass(slots=True)
class Words:
    """What is done with words. `nodes`, `namespaces`, `objects`, `devices`: names that were found."""

    addresses: Addresses
    table: Pseudonyms
    nodes: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    devices: set[str] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)  # texts of this walk

    def text(self, text: str) -> str:
        """Any text, word by word; what stands between them stays."""
        known = self.seen.get(text)
        if known is None:
            plain = text in public.texts() and not text[:1].isdigit()
            known = text if plain else self._tokens(text)
            self.seen[text] = known
        return known

    def whole(self, name: str) -> str:
        """One pseudonym for a name of any form, as those of contexts."""
        return self.table.of("", name) if name else name

    def _tokens(self, text: str) -> str:
        """Mail addresses whole, everything else token by token."""
        out, at = [], 0
        for mail in MAIL.finditer(text) if "@" in text else ():
            out += [TOKEN.sub(self._token, text[at : mail.start()]), self.whole(mail[0])]
            at = mail.end()
        return "".join([*out, TOKEN.sub(self._token, text[at:])])

    def node(self, name: str) -> str:
        """The name of a node: always another one."""
        if not name:
            return name
        self.nodes.add(name)
        return self.table.of("node", name)

    def namespace(self, name: str) -> str:
        """The name of a namespace, unless our source knows it."""
        self.namespaces.add(name)
        return name if not name or name in public.names() else self.table.of("ns", name)

    def name(self, name: str) -> str:
        """The name of an object, part by part, so that pods keep the beginning of their owner's."""
        self.objects.add(name)
        if not name or name in public.names():
            return name
        head = name
        while "-" in head:
            head = head.rpartition("-")[0]
            if head in public.names():
                return head + self._parts(name[len(head) :])
        return self._parts(name)

    def _parts(self, text: str) -> str:
        """Every part that is no number, and addresses."""
        return self._around(text, str.isdecimal)

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
        if text in self.nodes and not self._taken(text):
            return self.table.of("node", text)
        if FORM.match(text):
            return self.table.of("", text)
        if text in self.namespaces and (not self._common(text) or self._before_object(found)):
            return self.namespace(text)
        if text in self.objects and (not self._common(text) or self._after_namespace(found)):
            return self.name(text)
        if text in public.texts() and not text[:1].isdigit():
            return text
        if turned := domains.reverse(text, self.addresses):
            return self.text(turned[0]) + turned[1]
        labels = text.split(".")
        if INNER.search(text):
            at = len(".".join(labels[: domains.foreign(labels)]))
            private, rest = text[:at], text[at:]
            return self._around(private, str.isdecimal) + self._around(rest, self._plain)
        if len(labels) > 1:
            return ".".join(self._labels(labels))
        if text.isdecimal() and len(text) == ACCOUNT and _between_colons(found):
            return self.table.of("", text)
        return self._replace(text, self._plain)

    def _around(self, text: str, stays: Callable[[str], bool]) -> str:
        """Addresses in a name, and the parts around them."""
        return with_inner(text, self.addresses, lambda rest: self._replace(rest, stays))

    def _taken(self, name: str) -> bool:
        """Whether a node's name means something else in a text: a number, a device, a public word."""
        return bool(
            NUMBER.fullmatch(name) or name in self.devices or name.lower() in public.words()
        )

    def _common(self, name: str) -> bool:
        return name in self.devices or self._plain(name)

    def _before_object(self, found: re.Match[str]) -> bool:
        """Whether a word is the namespace in namespace/object, or in the path of a request."""
        word, text, end = found[0], found.string, found.end()
        if text.endswith("namespaces/", 0, found.start()):
            return True
        rest = NAME.match(text, end + 1) if text[end : end + 1] == "/" else None
        if rest is None or rest[0] not in self.objects or rest[0].isdecimal():
            return False
        return not (word.isdecimal() and self._plain(rest[0]))  # 53/tcp is a port

    def _after_namespace(self, found: re.Match[str]) -> bool:
        """Whether a word is the object in namespace/object."""
        before = found.string[max(0, found.start() - LONGEST) : found.start()]
        name = NOT_NAME.split(before[:-1])[-1]
        return before.endswith("/") and name in self.namespaces and not name.isdecimal()

    def _labels(self, labels: list[str]) -> Iterator[str]:
        """The labels of a dotted name; name and namespace of a Service are known by their place."""
        service = len(labels) - 1 - labels[::-1].index("svc") if "svc" in labels else -1
        foreign = service + 1 + domains.foreign(labels[service + 1 :])
        for at, label in enumerate(labels):
            if at == service - 1 and label in self.namespaces:
                yield self.namespace(label)
            elif at == service - 2 and label in self.objects:
                yield self.name(label)
            elif label in self.nodes and not self._taken(label):
                yield self.table.of("node", label)
            elif service < at < foreign:
                yield self._replace(label, _short)
            elif label.isdecimal() and not _short(label) and not "".join(labels).isdecimal():
                yield self.table.of("", label)
            else:
                yield self._label(label)

    def _label(self, label: str) -> str:
        if not self._plain(label):
            if label in self.namespaces:
                return self.namespace(label)
            if label in self.objects:
                return self.name(label)
        return self._replace(label, self._plain)

    def _replace(self, text: str, stays: Callable[[str], bool]) -> str:
        """Every part that may not stay, in which no program is named, and long numbers beside them."""
        spans = [found.span() for found in public.PROGRAM.finditer(text)]

        def kept(found: re.Match[str]) -> bool:
            inside = any(a < found.end() and found.start() < b for a, b in spans)
            return inside or stays(found[0])

        private = text[:1].isalpha() and not all(map(kept, PART.finditer(text)))
        longest = _digits(text, private=private)

        def part(found: re.Match[str]) -> str:
            long = found[0].isdecimal() and len(found[0]) > longest
            return self.table.of("", found[0]) if long or not kept(found) else found[0]

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


def _short(part: str) -> bool:
    return part.isdecimal() and len(part) < 9


def _digits(text: str, *, private: bool) -> int:
    """How long a number in a name may be that says nothing of whose it is."""
    if text[:1] == "-" or not any(map(str.isalpha, text)):  # after a public name; no name
        return len(text)
    return 3 if private else 8


def _between_colons(found: re.Match[str]) -> bool:
    text = found.string
    return text[found.start() - 1 : found.start()] == text[found.end() : found.end() + 1] == ":"


def _uuid(token: bytes, _: int) -> str:
    text = token.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))


def _base32(token: bytes, length: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(letters[b & 31] for b in token[:length])


def _hex(token: bytes, length: int) -> str:
    return token.hex()[:length]
