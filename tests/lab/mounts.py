"""Mounts of this machine that stand below a folder."""

from pathlib import Path

from tests.lab.commands import run

_MOUNT_POINT = 4  # field of a line of mountinfo


def mounts_below(folder: Path) -> list[Path]:
    """Return the mount points at or below a folder, the deepest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [Path(_plain(line.split()[_MOUNT_POINT])) for line in lines]
    return sorted((p for p in points if p.is_relative_to(folder)), reverse=True)


def unmount_below(folder: Path) -> None:
    """Detach every mount at or below a folder."""
    for point in mounts_below(folder):
        run("umount", "--lazy", point, check=False)


def _plain(escaped: str) -> str:
    """Undo the kernel's octal escapes of blanks in a path."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        escaped = escaped.replace(code, char)
    return escaped
