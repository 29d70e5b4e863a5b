"""Elements as values: whatever is no Markup is text from outside and is escaped, always."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_netdoctor.report.terminal import clean

VOID = frozenset(("meta", "link", "br", "wbr", "col", "input", "rect", "circle", "line", "path"))
"""Without content: HTML's own, and those of SVG that we draw with."""


UNKNOWN = "\N{EN DASH}"
"""Stands where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that we made ourselves."""

    text: str


Child = Markup | str | None
Attribute = str | int | float | bool | None


def tag(name: str, /, *children: Child | Iterable[Child], **attributes: Attribute) -> Markup:
    """One element. `class_` and `for_` lose their underscore, others become hyphens."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}>" if name in _HTML_VOID else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{join(*children).text}</{name}>")


_HTML_VOID = ("meta", "link", "br", "wbr", "col", "input")


def join(*children: Child | Iterable[Child]) -> Markup:
    """Children one after the other."""
    return Markup("".join(_child(child) for child in children))


def _child(child: Child | Iterable[Child]) -> str:
    match child:
        case None:
            return ""
        case Markup(text):
            return text
        case str():
            return escape(child)
    return "".join(_child(one) for one in child)


def escape(text: str) -> str:
    """Text from outside: no markup, no quote, no control or direction character."""
    return html.escape("\n".join(clean(line) for line in text.split("\n")), quote=True)


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
    return f' {name}="{escape(str(value))}"'


def hidden(text: str) -> Markup:
    """For screen readers: said, not shown."""
    return tag("span", text, class_="said")


def framed(label: str, table: Markup) -> Markup:
    """A table that scrolls in a frame of its own, reachable by keyboard."""
    return tag("div", table, class_="scroll", tabindex=0, role="group", aria_label=label)
