"""Tokens, keys and passwords: by allow-list nothing of the kind is asked for; what slipped in goes.

This is done to every snapshot, redacted or not. What it takes out cannot be translated back.

A node can send any text, so no form here may look at a stretch of text again and again: quantifiers
are possessive (`*+`), bounded, or cannot fail once they have begun.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kubectl_netdoctor.redaction.spoken import GONE, hide_spoken

_DER = r"(?:LS0tLS1CRUdJTi|M(?:II|HcC|HQC|IGH|C4C)[A-Za-z0-9+/]{20})[A-Za-z0-9+/]*+={0,2}"
SHAPED = re.compile(
    rf"""
    -----BEGIN\ [A-Z0-9 ]{{1,40}}-----.*?(?:-----END\ [A-Z0-9 ]{{1,40}}-----|\Z)
  | (?<![A-Za-z0-9+/]){_DER}(?:\s++[A-Za-z0-9+/]{{16,}}+={{0,2}})*+  # the same without its frame
  | \beyJ[\w-]{{8,512}}+\.[\w-]{{8,}}+(?:\.[\w-]*+)?
  | (?<=://)[^\s/@:"']*+:[^\s/"']+(?=@)
  | \b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{{16}}\b
  | \b(?:gh[posur]_[A-Za-z0-9]{{36,}}+|github_pat_\w{{22,}}+|glpat-[\w-]{{20,}}+
        |xox[abprs]-[\w-]{{10,}}+|hvs\.[\w-]{{24,}}+)
    # A bootstrap token of kubeadm has digits and letters in both halves, a file name has not.
  | \b(?=[a-z]{{0,5}}\d)(?=\d{{0,5}}[a-z])[a-z0-9]{{6}}\.
    (?=[a-z]{{0,15}}\d)(?=\d{{0,15}}[a-z])[a-z0-9]{{16}}\b
    """,
    re.VERBOSE | re.DOTALL,
)
"""What is a secret by its own form."""

_KEY = r"""(?:passw(?:or)?d|passphrase|secret|token|psk
  |(?:access|account|api|auth|client|encryption|master|pre-?shared|private|shared|signing)[ _-]?key)"""
# Words that say where a secret is, not what it is: `secretName`, `--token-auth-file`.
_ABOUT = "".join(
    f"(?<!{end})" for end in ("name", "names", "namespace", "file", "path", "dir", "ttl", "type")
)
_NAMED = rf"(?:{_KEY}[\w-]{{0,40}}+{_ABOUT}|(?<![a-z])(?:pass|pwd|sig(?:nature)?(?==)))"
_QUOTE = r"(?:\\{0,15}+[\"'])"
_WORD = r"(?:[^\s\"',;{}\[\]\\]|\\(?![\"'nrt]))"
KEYED = re.compile(
    rf"""
    (?P<flag>(?<![\w-])--?[\w-]{{0,40}}?{_NAMED}(?:{_QUOTE},\s*+|[^\S\n]++)(?P<argument>{_QUOTE})?
      (?!-|true|false))(?(argument)[^\n"'\\]++|(?:{_WORD}|[{{}}\[\]])++)
  | (?P<cookie>(?<![a-z])cookie{_QUOTE}?\s*+:[\s\[]*+{_QUOTE}?)[^\n"'\\]{{4,}}+
  | (?P<header>authorization{_QUOTE}?\s*+[:=][\s\[]*+(?P<open>{_QUOTE})?)
      (?:(?:basic|bearer|negotiate|ntlm|token|apikey)\s++[^\s"'\\]++
        |(?:digest|sharedkey|aws4)[\w-]{{0,20}}\s(?(open)(?:(?!(?<!\\)(?P=open))[^\n])++|[^\n]++))
  | (?P<key>{_NAMED}{_QUOTE}?[^\S\n]*+)(?P<sign>:=|=>?|:(?!:))(?P<gap>[^\S\n]*+\[?+)
    (?!{_QUOTE}?(?:true|false|null|none)(?![\w-]))
    (?:(?P<quote>{_QUOTE})(?:(?!(?<!\\)(?P=quote))[^\n])++
      |(?P<block>[|>][+-]?\s++)?(?P<plain>{_WORD}++)(?:\n[^\S\n]*+[A-Za-z0-9+/]{{32,}}+=*+)*+)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
"""What a word before it calls a secret."""
BARE_KEY = re.compile(
    rf"(?P<key>(?i:key|credentials?|auth|authorization|bearer){_QUOTE}?\s*+[:=]\s*+{_QUOTE}?)"
    r"(?P<value>[A-Za-z0-9+/_.~-]{16,}+={0,2})"
)
"""What may be one by the word before it: keys are names of things more often than not."""
RANDOM = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d).*|.*=|[0-9a-f]{32,}")
# `namespace/name:port` in comments of rules, `repository/name:tag`, `name:80`.
IN_PATH = re.compile(r"/[\w.-]*+\Z")
SHORTEST = 4
TAG = re.compile(r"[\w.-]{1,63}")
PORT = re.compile(r"\d{1,5}(?![\w.@-])")
# Cheap signs of which each form above has one: most strings have none.
SHAPES = re.compile(
    r"-----BEGIN|LS0t|M(?:II|Hc|HQ|IG|C4)|eyJ|://|A[KSGIR][IPDO]A|gh|glpat-|xox|hvs|\w\.\w"
)
HINTS = re.compile(r"(?i:pass|pwd|psk|secret|token|key|credential|auth|bearer|basic|cookie|sig)")


@lru_cache(maxsize=1 << 16)  # nodes of one cluster say the same
def without_secrets(text: str) -> str:
    """The text, with three stars where a secret stood."""
    if len(text) < 8:
        return text
    if SHAPES.search(text):
        text = SHAPED.sub(GONE, text)
    if HINTS.search(text):
        text = hide_spoken(BARE_KEY.sub(_hide_random, KEYED.sub(_hide_named, text)))
    return text


def is_named_secret(name: str, value: str) -> bool:
    """Whether a value is a secret by the name under which it stands."""
    beginning = value.strip(" \n\"'")[:8]
    return bool(KEYED.search(f'{name}="{beginning}"'))


def _hide_named(found: re.Match[str]) -> str:
    if not found["key"]:
        return (found["flag"] or found["cookie"] or found["header"]) + GONE
    if found["plain"] and _is_usual(found):
        return found[0]
    quote = found["quote"] or ""
    return found["key"] + found["sign"] + found["gap"] + (found["block"] or "") + quote + GONE


def _is_usual(found: re.Match[str]) -> bool:
    """A port, a tag, a count or a folder in the form of a secret."""
    key, value = found["key"].lower(), found["plain"]
    if len(value) < SHORTEST and (found["sign"] == ":" or not value.isalpha()):
        return True
    if key in ("pass", "pwd"):
        return value.startswith("/") if key == "pwd" else found["sign"] == ":" and value.isdigit()
    if found["sign"] != ":" or found["gap"]:
        return False
    if PORT.match(value):
        return True
    before = found.string[max(0, found.start() - 64) : found.start()]
    tag = IN_PATH.search(before) and TAG.fullmatch(value)
    return bool(tag) and not RANDOM.fullmatch(value)


def _hide_random(found: re.Match[str]) -> str:
    return found["key"] + GONE if RANDOM.fullmatch(found["value"]) else found[0]
