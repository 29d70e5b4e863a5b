"""scapy, layer by layer and without its look at the machine.

scapy is GPL-2.0-only: nothing outside this package imports it.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import types
from functools import cache
from typing import Any

from kubectl_netdoctor.agent.absence import NotPresent, not_installed

_IMPORTING = threading.Lock()
_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_UNUSED_DATA: dict[str, object] = {"scapy.libs.manuf": "", "scapy.libs.bluetoothids": {}}


@cache
def layer(name: str) -> Any:
    """One module of scapy.layers; `inet` brings the link layer and IPv6 with it.

    scapy.all takes three times as long. Left to itself, scapy also reads every route and link of
    the node at its import, which takes seconds where there are hundreds of pods, parses the names
    of all makers of network cards, and keeps them in a cache in the user's home: nothing here
    needs any of that, because every address is named, and an agent leaves no files behind.
    Raises NotPresent where scapy is not installed.
    """
    with _IMPORTING:
        logging.getLogger("scapy").setLevel(logging.CRITICAL)
        try:
            _import_main().SCAPY_CACHE_FOLDER = None
        except ModuleNotFoundError:
            raise NotPresent(not_installed("scapy")) from None
        for module, empty in _UNUSED_DATA.items():
            sys.modules.setdefault(module, types.ModuleType(module)).__dict__["DATA"] = empty
        importlib.import_module("scapy.interfaces")
        conf = importlib.import_module("scapy.config").conf
        conf.ifaces.reload = _nothing
        conf.route_autoload = False
        conf.route6_autoload = False
        return importlib.import_module(f"scapy.layers.{name}")


def _import_main() -> Any:
    """scapy.main, which makes the user's folders for configuration and caches when it is imported.

    While it is, these are a folder that is always there.
    """
    before = {name: os.environ.get(name) for name in _FOLDERS}
    os.environ.update(dict.fromkeys(_FOLDERS, os.sep))
    try:
        return importlib.import_module("scapy.main")
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _nothing() -> None:
    """Stand in for scapy's reading of the links."""


def echo_request(identifier: int, payload: bytes, version: int) -> bytes:
    """An ICMP echo request with sequence number 0 and a right checksum (IPv4), RFC 792, RFC 4443.

    The checksum of ICMPv6 covers addresses: the kernel fills it in on a raw ICMPv6 socket.
    """
    if version == 4:
        return bytes(layer("inet").ICMP(type=8, id=identifier, seq=0) / payload)
    request = layer("inet6").ICMPv6EchoRequest
    return bytes(request(id=identifier, seq=0, cksum=0, data=payload))


def arp_request(own_mac: str, own_address: str, address: str) -> bytes:
    """A broadcast who-has, RFC 826."""
    l2 = layer("l2")
    arp = l2.ARP(op="who-has", hwsrc=own_mac, psrc=own_address, pdst=address)
    return bytes(l2.Ether(src=own_mac, dst="ff:ff:ff:ff:ff:ff") / arp)


def arp_reply_from(frame: bytes) -> str | None:
    """The address that an ARP reply speaks for; None for any other frame."""
    l2 = layer("l2")
    arp = l2.Ether(frame).getlayer(l2.ARP)
    return str(arp.psrc) if arp is not None and arp.op == 2 else None
