"""Corefiles without secrets: arguments stay of the plugins that are known to have none.

Other plugins write theirs as `secret X` or `credentials NAME X`, each in a way of its own.
"""

from __future__ import annotations

import re

from kubectl_netdoctor.redaction.spoken import GONE

PLUGINS = frozenset(
    {
        "acl", "any", "autopath", "bind", "bufsize", "cache", "cancel", "debug", "dns64", "errors",
        "forward", "health", "hosts", "import", "kubernetes", "loadbalance", "local", "log", "loop",
        "metadata", "minimal", "multisocket", "prometheus", "ready", "reload", "timeouts", "whoami",
    }
)  # fmt: skip
"""Their arguments are what checks and readers want to know, and are never secret."""
# As CoreDNS takes its file apart: a quote counts at the beginning of a word only.
PIECE = re.compile(
    r"""(?P<line>\n)|(?P<blank>[^\S\n]++)|(?P<comment>\#[^\n]*+)|"(?:[^"\\]|\\.)*+"?|[^\s#]++""",
    re.DOTALL,
)
ZONE = re.compile(r"[\w.:/*()%{}$,-]{1,255}")  # or the name of a snippet, or of a variable
OPTION = re.compile(r"[a-z][a-z0-9_]{0,31}")
IN_ZONE, IN_PLUGIN = 1, 2


def without_arguments(text: str, depth: int = 0) -> str:
    """The Corefile with three stars for comments and for what other plugins are told.

    `depth`: 0 for a whole file, IN_ZONE for a piece of a server block.
    """
    first, kept, out = True, False, []
    for found in PIECE.finditer(text):
        piece = found[0]
        word = piece.strip('"')
        if found["line"]:
            first = True
        elif found["comment"]:
            piece = f"# {GONE}"
        elif word in ("{", "}"):
            first = word == "{"
            depth += 1 if first else -1
            if depth < 0:
                depth = IN_ZONE  # a brace too many: what follows may be a plugin
        elif not found["blank"]:
            if first and depth == IN_ZONE:
                kept = word in PLUGINS
            if not _stays(word, depth, first=first, kept=kept):
                piece = GONE
            first = False
        out.append(piece)
    return "".join(out)


def _stays(word: str, depth: int, *, first: bool, kept: bool) -> bool:
    if depth < IN_ZONE:
        return bool(ZONE.fullmatch(word))
    # Deeper, a brace is missing: blocks of these plugins hold no blocks.
    return (kept and depth <= IN_PLUGIN) or (first and bool(OPTION.fullmatch(word)))
