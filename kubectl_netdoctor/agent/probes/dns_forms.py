"""The forms of question that each DNS server is asked, and how often within the bound of packets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message

from kubectl_netdoctor.facts.dns_matrix import DnsFiller
from kubectl_netdoctor.facts.probe import DnsTransport

MOST = 20  # questions of one form
_FULL = 500
"""Bytes of a filled query. It is below 512, which many servers take at most over UDP, and with the
records that are added its answer is above."""
_TCP_PACKETS = 5  # of ours: SYN, ACK, the query, ACK, FIN
_COMPACT = 512  # RFC 1035; as a payload of EDNS it means the same
_SAFE, _WIDE = 1232, 4096  # DNS flag day 2020; what resolvers asked for before
_OPTIONS = {
    "padding": dns.edns.OptionType.PADDING,
    "ignored": dns.edns.OptionType.make(65001),  # for local use, RFC 6891 section 9
}
_OPTION_BYTES = 15  # of the OPT record and the option's own head, RFC 6891


@dataclass(frozen=True, slots=True)
class Form:
    """One form of question; `types` has two where both leave one socket at once."""

    types: tuple[str, ...]
    count: int
    name: str | None = None  # another name than the server's own question
    transport: DnsTransport = "udp"
    payload: int | None = None
    dnssec_ok: bool = False
    filler: DnsFiller = "none"

    @property
    def packets(self) -> int:
        """Packets that all its questions take."""
        return self.count * (_TCP_PACKETS if self.transport == "tcp" else len(self.types))

    def query(self, name: str, kind: str) -> dns.message.Message:
        """One message of this form."""
        message = dns.message.make_query(self.name or name, kind)
        if self.payload is None:
            return message
        bare = len(message.to_wire()) + _OPTION_BYTES
        options: list[dns.edns.Option] = []
        if self.filler != "none" and bare < _FULL:
            code = _OPTIONS[self.filler]
            options.append(dns.edns.GenericOption(code, bytes(_FULL - bare)))
        message.use_edns(
            0,
            dns.flags.DO if self.dnssec_ok else 0,
            self.payload,
            # The limit of the query itself, which has nothing to do with the answer's.
            request_payload=65535,
            options=options,
        )
        return message


def forms(kind: str, large: tuple[str, str]) -> tuple[Form, ...]:
    """All forms for a server whose own question is of that type, each at its least count.

    `large`: a name and a type whose answer is large by itself, as far as one is known.
    """
    name, type_ = large
    return (
        Form((kind,), 3),
        Form(("AAAA",), 3),
        Form(("A", "AAAA"), 1),
        Form((kind,), 1, payload=_SAFE),
        Form((kind,), 1, payload=_WIDE, dnssec_ok=True),
        Form((type_,), 2, name, payload=_SAFE, filler="padding"),
        Form((type_,), 3, name, payload=_WIDE, dnssec_ok=True, filler="padding"),
        Form((kind,), 2, payload=_SAFE, filler="ignored"),
        Form((type_,), 1, name, payload=_COMPACT, filler="padding"),
        Form((type_,), 1, name, "tcp", payload=_COMPACT, filler="padding"),
    )


def least(wanted: Sequence[Form]) -> int:
    """Packets that these forms take."""
    return sum(form.packets for form in wanted)


def raised(wanted: Sequence[Form], packets: int) -> tuple[Form, ...]:
    """The forms with counts as the packets for this server allow: plain questions come first."""
    plain, *others = wanted
    spare = max(0, packets - least(wanted))
    more = min(MOST - plain.count, spare)
    factor = 1 + (spare - more) // max(1, least(others))
    return (
        dataclasses.replace(plain, count=plain.count + more),
        *(dataclasses.replace(form, count=min(MOST, form.count * factor)) for form in others),
    )
