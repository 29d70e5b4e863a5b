"""Text for a terminal or a pipe: what the output can show, and what must never reach it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from kubectl_netdoctor.checks.base import Severity

PIPE_WIDTH = 120
COLOURS = {
    Severity.CRITICAL: "1;31",
    Severity.HIGH: "31",
    Severity.MEDIUM: "33",
    Severity.LOW: "36",
    Severity.INFO: "2",
}


@dataclass(frozen=True, slots=True)
class Style:
    """What the output can show."""

    width: int
    colour: bool
    unicode: bool

    def paint(self, text: str, severity: Severity) -> str:
        """Text in the colour of a severity."""
        return f"\x1b[{COLOURS[severity]}m{text}\x1b[0m" if self.colour else text

    def bold(self, text: str) -> str:
        """Text in bold."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def clean(self, text: str) -> str:
        """Text from outside, made harmless and printable here."""
        return clean(text, ascii_only=not self.unicode)


PLAIN = Style(PIPE_WIDTH, colour=False, unicode=False)


def style_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Style:
    """Style of a stream: colour only on a terminal and without NO_COLOR; see no-color.org."""
    terminal = stream.isatty()
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    if terminal:
        width = shutil.get_terminal_size().columns
    else:
        columns = environment.get("COLUMNS", "")
        width = int(columns) if columns.isdigit() else PIPE_WIDTH
    colour = terminal and "NO_COLOR" not in environment and environment.get("TERM") != "dumb"
    return Style(max(width, 60), colour, terminal and encoding == "utf8")


def clean(text: str, *, ascii_only: bool = False) -> str:
    """Escape control and formatting characters: node-supplied text must not steer a terminal."""
    out = []
    for character in text:
        code = ord(character)
        if character == "\t":
            out.append(" ")
        elif not character.isprintable() or (ascii_only and code > 126):
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
        else:
            out.append(character)
    return "".join(out)
