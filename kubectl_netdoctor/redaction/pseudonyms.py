"""One table of originals and pseudonyms: equal words stay equal, and it can be read backwards."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What a pseudonym looks like: nothing that is kept looks like it.
FORM = re.compile(r"(?:node|ns)?q\d+$")
KINDS = ("node", "ns", "")


@dataclass(slots=True)
class Pseudonyms:
    """`numbered`: kind, then original, to its number; `shaped`: tokens of a fixed form."""

    numbered: dict[str, dict[str, int]] = field(default_factory=lambda: {k: {} for k in KINDS})
    shaped: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 1))

    def of(self, kind: str, original: str) -> str:
        """The pseudonym of a word; the same for equal words."""
        table = self.numbered[kind]
        number = table.setdefault(original, len(table) + 1)
        text = f"q{number:0{self.widths[kind]}}"
        return kind + text

    def sort(self) -> None:
        """Number in the order of the originals: what is sorted by name keeps its order."""
        for kind, table in self.numbered.items():
            self.widths[kind] = len(str(max(len(table), 1)))
            for number, original in enumerate(sorted(table), 1):
                table[original] = number

    def backwards(self) -> dict[str, str]:
        """Originals by pseudonym."""
        words = {self.of(k, o): o for k, table in self.numbered.items() for o in list(table)}
        return {**words, **{new: old for old, new in self.shaped.items()}}
