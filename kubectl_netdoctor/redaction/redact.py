"""A snapshot under pseudonyms, in which every check finds the same."""

from __future__ import annotations

import copy
import dataclasses
import re
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_netdoctor.facts.base import FACTS
from kubectl_netdoctor.facts.cluster import ConfigMaps
from kubectl_netdoctor.facts.hops import place_of
from kubectl_netdoctor.facts.snapshot import Snapshot
from kubectl_netdoctor.redaction.addresses import Addresses, partings
from kubectl_netdoctor.redaction.config_maps import without_config_map_secrets
from kubectl_netdoctor.redaction.pseudonyms import Pseudonyms
from kubectl_netdoctor.redaction.secrets import without_secrets
from kubectl_netdoctor.redaction.text import Words
from kubectl_netdoctor.redaction.walk import walk

KEY_BYTES = 16
SURROGATE = re.compile("[\ud800-\udfff]")
HEX = re.compile(r"[0-9a-f]*")
# Fields by name whose whole string is a name; all others are texts, taken apart into words.
NODE_FIELDS = frozenset({"node", "peer"})
NAMESPACE_FIELDS = frozenset({"namespace"})
OBJECT_FIELDS = frozenset({"service", "pod", "policies", "owner"})
NAMED = {
    "NodeInfo": "node",
    "NodeReport": "node",
    "CiliumNodeInfo": "node",
    "LabelledNamespace": "namespace",
    "PodInfo": "object",
    "ServiceInfo": "object",
    "ServiceChange": "object",
    "EndpointSliceInfo": "object",
    "WorkloadInfo": "object",
    "ConfigMapInfo": "object",
    "NetworkPolicyInfo": "object",
}
# A context's name is of any form and goes as a whole: clouds put account numbers there.
CONTEXTS = frozenset({("RunInfo", "context"), ("RunInfo", "command")})
DEVICES = frozenset({("Interface", "name")})
# Ours, or of no meaning to anybody else.
KEPT = frozenset(
    {
        ("RunInfo", "id"), ("RunInfo", "tool_version"), ("RunInfo", "started"),
        ("RunInfo", "ended"), ("Envelope", "run"), ("Envelope", "agent_version"),
        ("Envelope", "started"), ("Envelope", "ended"), ("Snapshot", "known_facts"),
        ("Envelope", "seconds.keys"), ("Envelope", "facts.keys"), ("Snapshot", "cluster.keys"),
        ("NodeReport", "image_digest"),
    }
)  # fmt: skip
FORMS = {
    "id": r"[0-9a-f]{1,16}", "run": r"[0-9a-f]{1,16}", "known_facts": r"[a-z_0-9]{1,40}",
    "tool_version": r"\d+\.\d+\.\d+\w{0,8}", "agent_version": r"\d+\.\d+\.\d+\w{0,8}",
    "started": r"[\dTZ:.+-]{10,40}", "ended": r"[\dTZ:.+-]{10,40}",
    "image_digest": r"sha256:[0-9a-f]{64}",
}  # fmt: skip


@dataclass(slots=True)
class Redaction:
    """The key and the table of one redaction: what is needed to translate back.

    `begun`: another snapshot was redacted with it, and its words keep their pseudonyms.
    """

    key: bytes = field(default_factory=lambda: random.token_bytes(KEY_BYTES))
    table: Pseudonyms = field(default_factory=Pseudonyms)
    begun: bool = False
    straight: frozenset[str] = frozenset()

    @property
    def addresses(self) -> Addresses:
        """The permutation of this redaction."""
        return Addresses(self.key, self.straight)

    @property
    def fingerprint(self) -> str:
        """Tells keys apart, and does not tell the key."""
        return self.addresses.token("fingerprint")[:8].hex()


def without_all_secrets(snapshot: Snapshot) -> Snapshot:
    """The snapshot without tokens, keys and passwords, whoever it is for."""
    maps = snapshot.cluster.get("config_maps")
    if isinstance(maps, ConfigMaps):
        cluster = {**snapshot.cluster, "config_maps": without_config_map_secrets(maps)}
        snapshot = dataclasses.replace(snapshot, cluster=cluster)
    clean = walk(snapshot, lambda _cls, _name, text: without_secrets(text))
    return dataclasses.replace(clean, secrets_removed=True)


def redact(snapshot: Snapshot, redaction: Redaction) -> Snapshot:
    """The snapshot under pseudonyms; the redaction's table is filled.

    The first walk finds all names, the second numbers them in their order, the third replaces.
    """
    snapshot = without_all_secrets(snapshot)
    context = snapshot.run.context
    table = redaction.table
    words = Words(redaction.addresses, copy.deepcopy(table))
    _Walk(words, {}, context).of(snapshot)
    words.table, words.seen = table, {}
    if not redaction.begun:
        redaction.straight = partings(words.addresses.seen)
        words.addresses = redaction.addresses
        _Walk(words, {}, context).of(snapshot)
        table.sort()
        words.seen = {}
        redaction.begun = True
    # A name that is no Unicode comes from no agent: nothing was sent to it.
    told = [n for n in sorted(words.nodes) if not SURROGATE.search(n)]
    places = {place_of(n): place_of(words.node(n)) for n in told}
    table.shaped |= places
    done = _Walk(words, places, context).of(snapshot)
    return dataclasses.replace(done, redacted=True, redaction=redaction.fingerprint)


def hidden(text: str, redaction: Redaction) -> str:
    """Any other text of the same run, under the same pseudonyms."""
    table = redaction.table.numbered
    words = Words(redaction.addresses, redaction.table, set(table["node"]), set(table["ns"]))
    return words.text(without_secrets(text))


@dataclass(frozen=True, slots=True)
class _Walk:
    words: Words
    places: Mapping[str, str]
    context: str | None

    def of(self, snapshot: Snapshot) -> Snapshot:
        return walk(snapshot, self._change)

    def _change(self, cls: type, name: str, text: str) -> str:
        place = (cls.__name__, name)
        if place in KEPT and (text in FACTS or re.fullmatch(FORMS.get(name, r"(?!)"), text)):
            return text
        if place in CONTEXTS and self.context:
            option, equals, value = text.partition("=") if text.startswith("--") else ("", "", text)
            if value == self.context:
                return option + equals + self.words.whole(value)
        if place == ("RunInfo", "nodes") or name in NODE_FIELDS:
            return self.words.node(text)
        if name in NAMESPACE_FIELDS:
            return self.words.namespace(text)
        if place in DEVICES:
            self.words.devices.add(text)
        if name == "name" and (kind := NAMED.get(cls.__name__)):
            return self._named(kind, text)
        if name in OBJECT_FIELDS:
            return self._owned(text)
        if name in ("sender", "receiver") and cls.__name__ == "Sighting":
            return self.places.get(text) or self.words.place(text)
        if name == "sequences" and HEX.fullmatch(text):
            return text
        return self.words.text(text)

    def _named(self, kind: str, text: str) -> str:
        if kind == "node":
            return self.words.node(text)
        return self.words.namespace(text) if kind == "namespace" else self.words.name(text)

    def _owned(self, text: str) -> str:
        kind, slash, name = text.rpartition("/")
        return f"{self.words.text(kind)}{slash}{self.words.name(name)}"
