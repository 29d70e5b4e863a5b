"""The agent's only door to the node: files under a root, kernel files, commands, netlink, ethtool."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from kubectl_netdoctor.agent import command, conntrack_netlink, ethtool, http, netlink
from kubectl_netdoctor.agent.absence import Denied, NotPresent, Unreadable, of_error
from kubectl_netdoctor.agent.netlink import Message

MAX_FILE_BYTES = 4 << 20
_PIECE = 1 << 16
MAX_LINKS = 40  # as the kernel's own limit, path_resolution(7)


class Host:
    """One node as seen from here.

    `root` is the mount of the node's file system: in the Job a read-only host path. `proc` and
    `sys` are those of this process: with hostNetwork and hostPID they show the node.
    """

    def __init__(
        self, root: Path = Path("/"), *, proc: Path = Path("/proc"), sys: Path = Path("/sys")
    ) -> None:
        self.root = root
        self.proc = proc
        self.sys = sys
        self._recent = command.Recent()

    # -- files ---------------------------------------------------------------------------------

    def kernel(self, path: Path, limit: int = MAX_FILE_BYTES) -> str:
        """Text of a file under `proc` or `sys`. Raises NotPresent, Denied or Unreadable."""
        return _read(path, str(path), limit)

    def number(self, path: Path) -> int:
        """The one number in a kernel file. Raises as kernel() does."""
        text = self.kernel(path).strip()
        try:
            return int(text)
        except ValueError:
            raise Unreadable(f"{path}: {text!r:.40} is no number") from None

    def names(self, path: Path) -> tuple[str, ...]:
        """Names in a directory under `proc` or `sys`, sorted. Raises NotPresent or Denied."""
        try:
            return tuple(sorted(os.listdir(path)))  # noqa: PTH208 - names only, ten times as fast
        except OSError as exc:
            raise of_error(exc, str(path)) from exc

    def file(self, path: str, limit: int = MAX_FILE_BYTES) -> str:
        """Text of a file of the node, links resolved inside the root. Raises as kernel() does."""
        return _read(resolve(self.root, path), path, limit)

    def exists(self, path: str) -> bool:
        """Whether the node has that file."""
        try:
            return resolve(self.root, path).exists()
        except (OSError, Unreadable):
            return False

    # -- the process itself --------------------------------------------------------------------

    @property
    def is_root(self) -> bool:
        """Whether this process runs as uid 0."""
        return os.geteuid() == 0

    @property
    def pid(self) -> int:
        """This process."""
        return os.getpid()

    def clock(self) -> float:
        """Seconds since 1970 by the node's clock."""
        return time.time()

    # -- commands and sockets ------------------------------------------------------------------

    def run(self, argv: Sequence[str], timeout: float, *, max_age: float = 0.0) -> str:
        """Output of a command, or the output that it had no longer than `max_age` seconds ago.

        Raises NotPresent, Denied, TooSlow or Unreadable.
        """
        return self._recent.run(argv, timeout, max_age)

    def http_status(self, port: int, path: str) -> int | None:
        """HTTP status of an endpoint on this machine, None where nothing answers."""
        return http.status(port, path)

    def http_text(self, port: int, path: str) -> str | None:
        """Answer of an endpoint on this machine; None: nothing listens, empty: no answer."""
        return http.text(port, path)

    def netlink(self, dump: str) -> Iterator[Message]:
        """Messages of a dump that agent.netlink names. Raises NotPresent, Denied or Unreadable."""
        return netlink.dump(dump)

    def conntrack(self, *, translated_udp: bool) -> Iterator[bytes]:
        """Raw entries of the connection tracking table: all, or UDP with a changed destination.

        Raises NotPresent, Denied, TooSlow or Unreadable.
        """
        if translated_udp:
            return conntrack_netlink.udp_with_changed_destination()
        return conntrack_netlink.everything()

    def route_to(self, address: str) -> Message:
        """The route that the kernel takes to an address. Raises NotPresent where there is none."""
        return netlink.route_to(address)

    def interface_names(self) -> dict[int, str]:
        """Names of the links by ifindex."""
        return dict(socket.if_nameindex())

    def ethtool(self, interface: str) -> tuple[str | None, dict[str, bool]]:
        """Driver and features of one link; None and empty where the driver tells none."""
        return ethtool.driver(interface), ethtool.features(interface)


def resolve(root: Path, path: str) -> Path:
    """Where `path` of the node lies under `root`.

    Links are followed by hand, because an absolute link of the node means its own root and not
    ours; `..` stops at the root. Raises Unreadable on a loop of links.
    """
    left = list(reversed(PurePosixPath("/", path).parts[1:]))
    done: list[str] = []
    links = 0
    while left:
        part = left.pop()
        if part == "..":
            del done[-1:]
            continue
        here = root.joinpath(*done, part)
        try:
            target = os.readlink(here)  # noqa: PTH115 - the text, not a Path that drops `./`
        except OSError:
            done.append(part)  # no link, or not there: reading it will say so
            continue
        links += 1
        if links > MAX_LINKS:
            raise Unreadable(f"{path}: too many symbolic links")
        if target.startswith("/"):
            done.clear()
        left += reversed([p for p in PurePosixPath(target).parts if p != "/"])
    return root.joinpath(*done)


def _read(path: Path, name: str, limit: int) -> str:
    """Text of a regular file; O_NONBLOCK, because a node may have a FIFO where a file should be."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise of_error(exc, name) from exc
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Unreadable(f"{name} is no file")
        data = _content(fd, limit)
    except OSError as exc:
        if exc.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            raise NotPresent(f"{name}: {exc.strerror}") from exc
        raise of_error(exc, name) from exc
    finally:
        os.close(fd)
    if len(data) > limit:
        raise Unreadable(f"{name} is larger than {limit} bytes")
    return data.decode("utf-8", "replace")


def _content(fd: int, limit: int) -> bytes:
    """Up to one byte more than the limit, in pieces: sysctl files refuse a buffer of megabytes."""
    pieces = []
    size = 0
    while size <= limit and (piece := os.read(fd, _PIECE)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def need_root(host: Host, what: str) -> None:
    """Raise Denied unless this process is root."""
    if not host.is_root:
        raise Denied(f"needs root: {what}")
