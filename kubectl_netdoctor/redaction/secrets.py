"""Tokens, keys and passwords: by allow-list nothing of the kind is asked for; what slipped in goes.

This is done to every snapshot, redacted or not. What it takes out cannot be translated back.
"""

from __future__ import annotations

import re
from functools import lru_cache

GONE = "***"
_KEY = r"(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|psk)"
SECRET = re.compile(
    rf"""
    (?P<pem>-----BEGIN\ [A-Z ]+-----.*?(?:-----END\ [A-Z ]+-----|\Z))
  | (?P<jwt>\beyJ[\w-]{{8,}}\.[\w-]{{8,}}\.[\w-]*)
  | (?<=[Bb]earer\ )[\w.~+/-]{{8,}}=*
  | (?<=[Bb]asic\ )[A-Za-z0-9+/]{{8,}}=*
  | (?<=://)[^\s/@:"']+:[^\s/@"']+(?=@)
  | \b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{{16}}\b
  | \b(?:gh[posur]_[A-Za-z0-9]{{36,}}|github_pat_\w{{22,}}|glpat-[\w-]{{20,}}|xox[abprs]-[\w-]{{10,}}
        |hvs\.[\w-]{{24,}})
  | \b[a-z0-9]{{6}}\.[a-z0-9]{{16}}\b
  | (?P<key>(?i:["']?[\w.-]*{_KEY}[\w-]*["']?\s*[:=]\s*))(?P<value>"[^"]{{4,}}"|'[^']{{4,}}'|[^\s"',;{{}}\[\]]{{4,}})
    """,
    re.VERBOSE | re.DOTALL,
)
# Cheap signs of which every form above has one: most strings have none.
SIGNS = re.compile(
    r"-----BEGIN|eyJ|earer |asic |://|A[KSGIR][IPDO]A|_|-|\.|(?i:passw|passp|secret|token|key|psk)"
)
REAL = re.compile(r"\d")


@lru_cache(maxsize=1 << 16)  # nodes of one cluster say the same
def without_secrets(text: str) -> str:
    """The text, with three stars where a secret stood."""
    if len(text) < 8 or not SIGNS.search(text):
        return text
    return SECRET.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    if found["key"]:
        value = found["value"].strip("\"'")
        return (
            found[0] if value.lower() in ("true", "false", "null", "none") else found["key"] + GONE
        )
    # A bootstrap token of kubeadm has digits and letters in both halves, a file name has not.
    if re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", found[0]):
        halves = found[0].split(".")
        mixed = all(REAL.search(h) and re.search("[a-z]", h) for h in halves)
        return GONE if mixed else found[0]
    return GONE
